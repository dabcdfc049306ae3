export type { Case, Measurement, Metric, Side } from "./case.ts";

import { type Target, TargetError } from "@llm/target";
import { aic100Features } from "./features.ts";
import { type Aic100Options, aic100Options } from "./options.ts";

const notYet = (): never => {
  throw new TargetError("unsupported", "Cloud AI 100 comes with a newer version of this package");
};

/** Qualcomm's Cloud AI 100, by the vendor's compiler and runtime, and an emulator of both. */
export const aic100Target: Target<Aic100Options> = {
  specificationVersion: 1,
  id: "aic100",
  title: "Cloud AI 100",
  options: aic100Options,
  features: aic100Features,
  dialects: [],
  passes: [],
  doctor: async () => [],
  plan: notYet,
  pipeline: notYet,
  units: notYet,
  build: notYet,
  open: notYet,
};

export * from "./dtype.ts";
export * from "./format.ts";
export * from "./source.ts";
export * from "./tensor.ts";
export * from "./weight-expr.ts";

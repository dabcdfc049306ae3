export { fit } from "./fit.ts";
export { ABSENT, type FixedCall, type FixedOutput, type FixedShapes } from "./fixed-shapes.ts";

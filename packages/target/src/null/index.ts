export { nullLogits } from "./hash.ts";
export { NULL_DEVICES, type NullDevice, type NullSizes } from "./limits.ts";
export { type NullSessionOptions, openNull } from "./session.ts";
export { type NullOptions, nullTarget } from "./target.ts";

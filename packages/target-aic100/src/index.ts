export { aic100Target, aic100Target as default } from "./aic100-target.ts";
export { type Aic100Format, type Aic100Options, aic100Options, type SdkChoice } from "./options.ts";

import type { Settings } from "./settings.ts";

/** What every page is given. */
export interface View {
  /** The model that is chosen now. */
  model(): string;
  readonly settings: Settings;
  /** Raised when another page is shown. */
  readonly left: AbortSignal;
}

import type { Feature } from "@llm/target";

/** What this target does, and on what that was shown. */
export const aic100Features: readonly Feature[] = [];

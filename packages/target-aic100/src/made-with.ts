import type { Artefact } from "@llm/target";
import type { Aic100Options } from "./options.ts";

/** What an artefact of ours was made with: options that were said, and those with a default; of others' files nothing. */
export function madeWith({ manifest }: Pick<Artefact, "manifest">): Partial<Aic100Options> {
  const entries = Object.entries((manifest.options ?? {}) as Readonly<Record<string, unknown>>);
  return Object.fromEntries(entries.filter(([, value]) => value !== null)) as Partial<Aic100Options>;
}

import type { CacheEntry } from "@llm/toolchain";
import type { Call, Outcome } from "../definition/command.ts";
import type { Io } from "../output/io.ts";
import { bytes } from "../output/units.ts";

/** `llm cache` */
export async function run(call: Call, io: Io): Promise<Outcome> {
  const { chooseEntries, removeEntries, surveyCache } = await import("@llm/toolchain");
  const { cacheDir, remove, olderThan, partial, yes } = call.options;
  const survey = await surveyCache({ env: io.env, ...(cacheDir === undefined ? {} : { cacheDir }) });
  const chosen = chooseEntries(survey.entries, {
    ...(remove === undefined ? {} : { names: remove }),
    ...(olderThan === undefined ? {} : { olderThanDays: olderThan }),
    ...(partial ? { partial } : {}),
  });
  const asked = remove !== undefined || olderThan !== undefined || (partial ?? false);
  if (!asked) {
    const text = [...table(survey.entries), "", `${bytes(survey.bytes)} in all`].join("\n");
    return {
      json: { entries: survey.entries, bytes: survey.bytes, removed: [] },
      text: survey.entries.length > 0 ? text : "nothing is kept",
    };
  }
  if (chosen.length === 0)
    return { json: { entries: survey.entries, bytes: survey.bytes, removed: [] }, text: "nothing to remove" };
  if (!yes) {
    const text = [...table(chosen), "", "would be removed; say --yes to do it"].join("\n");
    return { json: { entries: chosen, bytes: survey.bytes, removed: [] }, text };
  }
  await removeEntries(chosen);
  const after = await surveyCache({ env: io.env, ...(cacheDir === undefined ? {} : { cacheDir }) });
  const text = `removed ${chosen.length} ${chosen.length === 1 ? "entry" : "entries"}, ${bytes(survey.bytes - after.bytes)}`;
  return { json: { entries: after.entries, bytes: after.bytes, removed: chosen.map(({ name }) => name) }, text };
}

function table(entries: readonly CacheEntry[]): string[] {
  const wide = (of: (entry: CacheEntry) => string) => Math.max(...entries.map((entry) => of(entry).length), 0);
  const [kinds, sizes] = [wide(({ kind }) => kind), wide((entry) => bytes(entry.bytes))];
  return entries.map(
    (entry) =>
      `${entry.kind.padEnd(kinds)}  ${bytes(entry.bytes).padStart(sizes)}  ${entry.changed.slice(0, 10)}  ${entry.name}`,
  );
}

import { goldenDir, goldenNames, readGolden, readGoldenConfig } from "@llm/fixtures";
import { architectureFor } from "@llm/models";
import { type Model, openModel } from "@llm/toolchain";

/** The id of the architecture of a golden model. */
export function architectureOf(name: string): string {
  return architectureFor(readGoldenConfig(name)).id;
}

/** One golden model of each architecture; all of them for `pnpm test:flavours`. */
export function chosenModels(): readonly string[] {
  if (process.env.LLM_TEST_FLAVOURS === "all") return goldenNames();
  const first = new Map<string, string>();
  for (const name of goldenNames()) if (!first.has(architectureOf(name))) first.set(architectureOf(name), name);
  return [...first.values()];
}

/** As a user opens it: a folder, and `--config` for what its published config leaves out. */
export function openGolden(name: string): Promise<Model> {
  const { position, norm_head } = readGolden(name).overrides ?? {};
  return openModel(goldenDir(name), {
    config: position === undefined ? [] : [`position=${position}`, `norm_head=${norm_head}`],
  });
}

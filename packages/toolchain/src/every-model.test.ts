import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { goldenDir, goldenNames, readGolden } from "@llm/fixtures";
import { cpuTarget } from "@llm/target-cpu";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openModel } from "./open-model.ts";
import { verify } from "./verify.ts";

let env: Record<string, string>;

beforeAll(async () => {
  env = { XDG_CACHE_HOME: await mkdtemp(join(tmpdir(), "every-model-")) };
});
afterAll(() => rm(env.XDG_CACHE_HOME!, { recursive: true, force: true }));

/** As a user opens it: a folder, and `--config` for what its published config leaves out. */
function open(name: string) {
  const { position, norm_head } = readGolden(name).overrides ?? {};
  return openModel(goldenDir(name), {
    config: position === undefined ? [] : [`position=${position}`, `norm_head=${norm_head}`],
  });
}

describe.each(goldenNames())("%s", (name) => {
  it("runs on ONNX Runtime as on the reference, after every block, whole and for a range of blocks", async () => {
    const model = await open(name);
    try {
      const ids = Int32Array.from(readGolden(name).prompts[0]!.input_ids);
      const whole = await verify(model, cpuTarget, { ids, env });
      expect(whole).toMatchObject({ ok: true, logits: { top1Agreement: 1 } });
      expect(whole.blocks.length).toBe(model.card.blocks + 1); // the embedding hands on a stream too
      const range = await verify(model, cpuTarget, { ids, layers: "1", env });
      expect(range.ok).toBe(true);
      expect(range.blocks.map((block) => block.name)).toEqual(["embedding", "block_1"]);
    } finally {
      await model.close();
    }
  });
});

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { goldenDir } from "@llm/fixtures";
import { cpuTarget } from "@llm/target-cpu";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readDump } from "./dump.ts";
import { openModel } from "./open-model.ts";
import { verify } from "./verify.ts";
import { writeSafetensors } from "./write-safetensors.ts";

/** What transformers computed for golden models, recorded by tooling/golden/dump.py. */
const dumps = fileURLToPath(new URL("../fixtures/dumps", import.meta.url));

let work: string;
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "dumps-"));
});
afterAll(() => rm(work, { recursive: true, force: true }));

async function check(name: string, dump: string) {
  const model = await openModel(goldenDir(name));
  try {
    return await verify(model, cpuTarget, { against: await readDump(dump), env: { XDG_CACHE_HOME: work } });
  } finally {
    await model.close();
  }
}

describe("verify against what another implementation dumped", () => {
  it.each(["gpt2", "gpt_bigcode_mqa", "llama_gqa_llama3", "qwen2", "falcon_7b", "gptj"])(
    "%s: every block and the logits hold",
    async (name) => {
      const report = await check(name, join(dumps, `${name}.safetensors`));
      expect(report.ok).toBe(true);
      expect(report.blocks.map((block) => block.name).slice(0, 2)).toEqual(["embedding", "block_0"]);
      expect(report.logits.top1Agreement).toBe(1);
    },
  );

  it("shows where an error begins", async () => {
    const dump = await readDump(join(dumps, "gpt2.safetensors"));
    const hidden = dump.hidden.map((values, i) => (i < 2 ? values : values?.map((value) => value * 1.01)));
    const file = join(work, "wrong.safetensors");
    const tokens = dump.ids!.length;
    await writeSafetensors(file, [
      ...hidden.map((values, i) => ({
        name: `hidden.${i}`,
        shape: [tokens, values!.length / tokens],
        data: values!,
      })),
      { name: "logits", shape: [tokens, dump.logits!.length / tokens], data: dump.logits! },
    ]);
    const model = await openModel(goldenDir("gpt2"));
    const report = await verify(model, cpuTarget, {
      against: await readDump(file),
      ids: dump.ids!,
      env: { XDG_CACHE_HOME: work },
    });
    await model.close();
    expect(report.ok).toBe(false);
    expect(report.blocks.find(({ ok }) => !ok)?.name).toBe("block_1");
  });

  it("refuses a dump of another model, an empty one, and one that isn't there", async () => {
    // Three blocks of GPT-2 can't be what Qwen2's two blocks made.
    await expect(check("qwen2", join(dumps, "gpt2.safetensors"))).rejects.toThrow("the dump has 3 blocks, the model 2");
    const model = await openModel(goldenDir("gpt2"));
    const against = await readDump(join(dumps, "gpt2.safetensors"));
    const fewer = verify(model, cpuTarget, { against, ids: Int32Array.of(1, 2, 3) });
    await expect(fewer).rejects.toThrow("the dump has 2432 numbers in logits; 3 tokens of this model make 3 × 304");
    await model.close();
    await writeFile(join(work, "empty.npy"), "");
    await expect(readDump(join(work, "nothing"))).rejects.toThrow("there is no such file or folder");
    await expect(readDump(work)).rejects.toThrow("empty.npy: is no .npy file");
  });
});

import { goldenNames, readGolden } from "@llm/fixtures";
import { describe, expect, test } from "vitest";
import { cpuTarget } from "../cpu-target.ts";
import { answerIn, apart } from "../testing/mesh-answers.ts";
import { buildGolden, DEFAULTS } from "../testing/open-golden.ts";

/** Every golden model through workers takes minutes: `pnpm test:mesh`, whose last result is in docs/mesh.md. */
const everything = process.env.LLM_TEST_MESH === "all";
/** One each of: one key head, fewer key heads than shards, experts, a latent cache, biases by distance, norms over all heads. */
const SOME = ["gpt_bigcode_mqa", "llama_gqa_llama3", "mixtral", "deepseek_v2", "bloom_nonpow2", "olmo2"];
const MESHES = everything ? ["1x1", "2x1", "1x2", "1x4", "2x2", "1x2x2"] : ["1x2", "2x2"];

describe.each(everything ? goldenNames() : SOME)("%s", (name) => {
  test(`says on ${MESHES.join(", ")} what it says in one process`, { timeout: 300_000 }, async () => {
    const { prompts } = readGolden(name);
    using whole = await buildGolden(name);
    const alone = await cpuTarget.open(whole.artefact, DEFAULTS);
    const expected = [];
    for (const prompt of prompts) expected.push(await answerIn(alone, 0, prompt));
    await alone.close();
    for (const mesh of MESHES) {
      const options = { ...DEFAULTS, mesh, batchSize: 2 };
      using built = await buildGolden(name, { options });
      const session = await cpuTarget.open(built.artefact, options);
      for (const [i, prompt] of prompts.entries()) {
        const slot = i % session.limits.slots; // the second of two is another replica's
        const { logits, greedy } = await answerIn(session, slot, prompt);
        expect(apart(logits, expected[i]!.logits), `${mesh}, prompt ${i}`).toBeLessThan(1e-4);
        expect(greedy, `${mesh}, prompt ${i}`).toEqual(expected[i]!.greedy);
      }
      await session.close();
    }
  });
});

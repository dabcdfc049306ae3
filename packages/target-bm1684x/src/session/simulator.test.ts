import { conformance } from "@llm/target/conformance";
import { afterAll, beforeAll, describe, test } from "vitest";
import { bm1684xTarget } from "../bm1684x-target.ts";
import { type BuiltModel, buildModel } from "../testing/build-model.ts";
import { optionsOf } from "../testing/options.ts";
import { randomModel } from "../testing/random-model.ts";
import { missingToolchain } from "../testing/toolchain.ts";

/** Every launch takes the simulator about a second: the whole suite is for `pnpm test:simulator`. */
const missing = process.env.LLM_SIMULATOR === "all" ? missingToolchain() : "pnpm test:simulator runs it";

/** As little as compiles. */
const config = {
  model_type: "gpt_bigcode",
  n_embd: 64,
  n_head: 4,
  n_layer: 1,
  n_inner: 128,
  n_positions: 64,
  vocab_size: 96,
  multi_query: true,
  activation_function: "gelu",
};
const options = optionsOf({ mode: "F16", seqLength: 8, simulate: true, batchSize: 2 });

/** Slots, prompts, tokens, rewinds and trims all come in these; the fake device of other tests is held to the whole. */
const SCHEDULES = { count: 2, steps: 6 };

/** Logits of a prompt's nets and of a token's nets differ by what 16 bits round. */
const TOLERANCE = 0.05;

describe.skipIf(missing)(`conformance on the vendor's simulator${missing ? `: ${missing}` : ""}`, () => {
  let built: BuiltModel;
  beforeAll(async () => {
    built = await buildModel(randomModel(config, 3), options);
  }, 120_000);
  afterAll(() => built?.[Symbol.dispose]());

  test.for(conformance.filter(({ about }) => about === "session"))("$name", { timeout: 1_800_000 }, async ({ run }) => {
    await run({ open: () => bm1684xTarget.open(built.artefact, options), tolerance: TOLERANCE, schedules: SCHEDULES });
  });
});

import { join } from "node:path";
import { conformance } from "@llm/target/conformance";
import { describe, test } from "vitest";
import { bm1684xTarget } from "../bm1684x-target.ts";
import { fixtureFolder, fixtureOptions, SEED, SMALL } from "../testing/fixtures.ts";
import { randomModel } from "../testing/random-model.ts";
import { reference } from "../testing/simulated.ts";
import { missingToolchain } from "../testing/toolchain.ts";

const missing = missingToolchain();

const options = { ...fixtureOptions("F16"), simulate: true, batchSize: 2 };

/** What 16 bits round, of logits that are about 1. */
const TOLERANCE = 0.05;

describe.skipIf(missing)(`conformance on the vendor's simulator${missing ? `: ${missing}` : ""}`, () => {
  test.for(conformance.filter(({ about }) => about === "session"))("$name", { timeout: 300_000 }, async ({ run }) => {
    const made = await bm1684xTarget.files!.artefact(join(fixtureFolder("F16"), "model.bmodel"));
    const model = await reference(randomModel(SMALL, SEED));
    await run({
      open: () => bm1684xTarget.open(made, options),
      oracle: (history) => model.step([{ slot: 0, at: 0, tokens: history, last: 1 }])[0]!.logits,
      tolerance: TOLERANCE,
    });
  });
});

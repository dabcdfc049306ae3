import { join } from "node:path";
import { conformance } from "@llm/target/conformance";
import { describe, expect, test } from "vitest";
import { bm1684xTarget } from "../bm1684x-target.ts";
import { fixtureFolder, fixtureOptions, SEED, SMALL } from "../testing/fixtures.ts";
import { randomModel } from "../testing/random-model.ts";
import { reference } from "../testing/simulated.ts";
import { missingToolchain } from "../testing/toolchain.ts";

const missing = missingToolchain();

const options = { ...fixtureOptions("F16"), simulate: true, batchSize: 2 };

/** What 16 bits round, of logits that are about 1. */
const TOLERANCE = 0.05;

test.skipIf(missing)("two copies are one session with the slots of both", { timeout: 300_000 }, async () => {
  const made = await bm1684xTarget.files!.artefact(join(fixtureFolder("F16"), "model.bmodel"));
  const session = await bm1684xTarget.open(made, { ...options, mesh: "2x1" });
  expect(session.limits).toMatchObject({ slots: 2, fork: "copy" });
  const want = { kind: "logits", last: 1 } as const;
  const rows = [0, 1].map((slot) => ({ slot, at: 0, tokens: Int32Array.of(5, 9, 3), want }));
  const [first, second] = await session.step(rows);
  expect(second!.logits).toEqual(first!.logits);
  const model = await reference(randomModel(SMALL, SEED));
  const { logits } = model.step([{ slot: 0, at: 0, tokens: [5, 9, 3], last: 1 }])[0]!;
  for (const [i, value] of logits.entries()) expect(Math.abs(first!.logits![i]! - value)).toBeLessThan(TOLERANCE);
  await session.close();
});

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

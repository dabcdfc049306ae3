import { join } from "node:path";
import { conformance } from "@llm/target/conformance";
import { describe, test } from "vitest";
import { bm1684xTarget } from "../bm1684x-target.ts";
import { fixtureFolder, fixtureOptions } from "../testing/fixtures.ts";
import { missingToolchain } from "../testing/toolchain.ts";

const missing = missingToolchain();

const options = { ...fixtureOptions("F16"), simulate: true, batchSize: 2 };

/** Logits of a prompt's nets and of a token's nets differ by what 16 bits round. */
const TOLERANCE = 0.05;

describe.skipIf(missing)(`conformance on the vendor's simulator${missing ? `: ${missing}` : ""}`, () => {
  test.for(conformance.filter(({ about }) => about === "session"))("$name", { timeout: 300_000 }, async ({ run }) => {
    const made = await bm1684xTarget.files!.artefact(join(fixtureFolder("F16"), "model.bmodel"));
    await run({ open: () => bm1684xTarget.open(made, options), tolerance: TOLERANCE });
  });
});

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Target } from "@llm/target";
import { type BuildContext, conformance } from "@llm/target/conformance";
import { afterAll, beforeAll, describe, test } from "vitest";
import { requestFor } from "../testing/build-model.ts";
import { FAMILIES } from "../testing/families.ts";
import { optionsOf } from "../testing/options.ts";
import { randomModel } from "../testing/random-model.ts";
import { missingToolchain } from "../testing/toolchain.ts";

const missing = missingToolchain();

describe.skipIf(missing)(`conformance of what the vendor's compiler makes${missing ? `: ${missing}` : ""}`, () => {
  let folder: string;
  let build: BuildContext;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "llm-bm1684x-conformance-"));
    const model = randomModel({ ...FAMILIES.gpt2!, n_layer: 1 }, 3);
    const request = requestFor(model, optionsOf({ ctxLen: 16 }), folder);
    build = { ...request, target: request.target as Target, graph: model.graph, folder };
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.for(conformance.filter(({ about }) => about === "build"))("$name", { timeout: 300_000 }, ({ run }) =>
    run({ build }),
  );
});

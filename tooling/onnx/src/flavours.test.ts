import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type GoldenPrompt, readGolden } from "@llm/fixtures";
import { architectures } from "@llm/models";
import { bm1684xTarget } from "@llm/target-bm1684x";
import { exportModel, exportOnnx, type Model } from "@llm/toolchain";
import { afterAll, describe, expect, test } from "vitest";
import { deviceNets } from "./device-nets.ts";
import { atFixedLength, blockByBlock, withCache } from "./drive.ts";
import { architectureOf, chosenModels, openGolden } from "./golden-models.ts";
import type { Drive } from "./nets.ts";

const root = mkdtempSync(join(tmpdir(), "flavours-"));
const env = { ...process.env, XDG_CACHE_HOME: join(root, "cache") };
afterAll(() => rmSync(root, { recursive: true, force: true }));

const MODELS = chosenModels();
const PROMPTS = process.env.LLM_TEST_FLAVOURS === "all" ? undefined : 1;

test("every architecture is among them", () => {
  const shown = new Set(MODELS.map(architectureOf));
  expect(architectures.map(({ id }) => id).filter((id) => !shown.has(id))).toEqual([]);
});

/** Room for every golden prompt and its answer. */
const LENGTH = 48;

interface Flavour {
  readonly name: string;
  /** How far the log-probability of a token may be from the reference's. */
  readonly within: number;
  make(model: Model, folder: string): Promise<unknown>;
  readonly drive: Drive;
  /** The device's own word for why it can't have a model. */
  readonly refusal?: RegExp;
}

const FLAVOURS: readonly Flavour[] = [
  {
    name: "standard fp16",
    within: 0.1,
    make: (model, folder) => exportOnnx(model, { folder, saveFp32Onnx: false, saveFp16Onnx: true }),
    drive: withCache("model_fp16"),
  },
  {
    name: "fixed shapes",
    within: 1e-3,
    make: (model, folder) =>
      exportOnnx(model, { folder, kv: false, sizes: { batch_size: 1, sequence_length: LENGTH } }),
    drive: atFixedLength("model", LENGTH),
  },
  {
    name: "block by block",
    within: 1e-3,
    make: (model, folder) => exportOnnx(model, { folder, perBlock: true }),
    drive: blockByBlock,
  },
  {
    name: "BM1684X's nets",
    within: 1e-3,
    make: (model, folder) => exportModel(model, bm1684xTarget, { folder, env, targetOptions: { ctxLen: LENGTH } }),
    drive: deviceNets,
    refusal: /mixtures of experts|choose a length up to \d+$/,
  },
];

/** The most that a golden token's log-probability is off, and how far the token is from the likeliest. */
function worst(rows: readonly Float32Array[], { greedy, greedy_logprobs }: GoldenPrompt): number {
  return Math.max(
    ...rows.map((row, i) => {
      const most = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
      const logSum = most + Math.log(row.reduce((sum, x) => sum + Math.exp(x - most), 0));
      const own = row[greedy[i]!]!;
      return Math.max(Math.abs(own - logSum - greedy_logprobs[i]!), most - own);
    }),
  );
}

describe.each(FLAVOURS)("$name", ({ name: flavour, within, make, drive, refusal }) => {
  test.each(MODELS)("%s says what the reference said", async (name) => {
    const folder = join(root, `${name}-${flavour.replaceAll(/\W/g, "-")}`);
    const model = await openGolden(name);
    try {
      const refused = await make(model, folder).then(
        () => undefined,
        (error: Error) => error.message,
      );
      if (refused !== undefined) return expect(refused).toMatch(refusal ?? /^$/);
      for (const prompt of readGolden(name).prompts.slice(0, PROMPTS)) {
        const rows = await drive(folder, prompt);
        expect(rows.length).toBe(prompt.greedy.length);
        expect(worst(rows, prompt)).toBeLessThan(within);
      }
    } finally {
      await model.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

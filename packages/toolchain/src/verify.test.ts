import { demoModelFolder } from "@llm/demo-model";
import { goldenDir } from "@llm/fixtures";
import { afterAll, describe, expect, it } from "vitest";
import { openModel } from "./open-model.ts";
import { findTarget } from "./targets.ts";
import { THRESHOLDS } from "./thresholds.ts";
import { verify } from "./verify.ts";

const { target } = await findTarget("cpu");
const demo = await openModel(demoModelFolder);
afterAll(() => demo.close());

describe("verify", () => {
  it("finds every block of the bundled checkpoint right", async () => {
    const report = await verify(demo, target);
    expect(report.blocks.map(({ name }) => name)).toEqual([
      "embedding",
      ...[0, 1, 2, 3, 4, 5].map((i) => `block_${i}`),
    ]);
    for (const { mse, maxAbs, cosine } of report.blocks) {
      expect(mse).toBeLessThan(1e-6);
      expect(maxAbs).toBeLessThan(1e-2);
      expect(cosine).toBeGreaterThan(0.999999);
    }
    expect(report).toMatchObject({ ok: true, runner: "onnxruntime", logits: { ok: true, top1Agreement: 1 } });
  });

  it("takes a range of blocks, with the head after the last of them", async () => {
    const report = await verify(demo, target, { layers: "2-3", ids: Int32Array.of(1, 2, 3) });
    expect(report.blocks.map(({ name }) => name)).toEqual(["embedding", "block_2", "block_3"]);
    expect(report).toMatchObject({ ok: true, tokens: 3 });
    await expect(verify(demo, target, { layers: "5-6" })).rejects.toThrow("layers 5-6 don't exist: the model has 0-5");
  });

  it.each(["gpt2", "fmt_gpt2_noprefix", "gpt_bigcode_mha", "llama_gqa_llama3", "fmt_bf16"])(
    "holds for %s",
    async (name) => {
      const model = await openModel(goldenDir(name));
      expect(await verify(model, target)).toMatchObject({ ok: true });
      await model.close();
    },
  );

  it.each(["int8", "int4"])("takes %s for what it is: close, not equal", async (format) => {
    const { ok, logits } = await verify(demo, target, { targetOptions: { format } });
    expect(ok).toBe(true);
    expect(logits.maxAbs).toBeGreaterThan(1e-2);
    expect(await verify(demo, target, { targetOptions: { format }, thresholds: THRESHOLDS.fp32 })).toMatchObject({
      ok: false,
    });
  });

  it("fails when the exported graph computes something else", async () => {
    const off = { ...target, pipeline: (...args: Parameters<typeof target.pipeline>) => target.pipeline(...args) };
    const runner: NonNullable<typeof target.runner> = async (artefact) => {
      const right = await target.runner!(artefact);
      return {
        ...right,
        run: async (net, inputs) => {
          const outputs = await right.run(net, inputs);
          const [id] = Object.keys(outputs).filter((key) => key.startsWith("block_3"));
          const data = (outputs[id!]!.data as Float32Array).map((x, i) => (i === 7 ? x + 1 : x));
          return { ...outputs, [id!]: { ...outputs[id!]!, data } };
        },
      };
    };
    const report = await verify(demo, { ...off, runner });
    expect(report.ok).toBe(false);
    expect(report.blocks.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual(["block_3"]);
  });
});

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packedModel } from "../testing/packed-model.ts";
import { skipWithout } from "../testing/skip-without-addon.ts";
import { ortAddonStatus, ortKernels } from "./open.ts";

let folder: string;
let model: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "llm-kernel-choice-"));
  model = packedModel(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The kernel in use and the one answer of a model, or what is wrong, in a process of its own. */
function said(chosen: string): string[] {
  const program = `
    const { openOrt, ortKernel, ortTensor } = await import(${JSON.stringify(new URL("./index.ts", import.meta.url))});
    try {
      const session = await openOrt(${JSON.stringify(model)}, { threads: 1, prepack: true });
      const x = Float32Array.from({ length: 512 }, (_, i) => Math.sin(i));
      const { y } = await session.run({ x: ortTensor("f32", [1, 512], x) }, { y: null });
      console.log(ortKernel() + "\\n" + y.data.map((value) => Math.round(value * 100)).join());
    } catch (error) {
      console.log(error.code + "\\n" + error.message);
    }`;
  const env = { ...process.env, LLM_CPU_KERNEL: chosen };
  const text = execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8", env });
  return text.trim().split("\n");
}

describe.skipIf(skipWithout(ortAddonStatus().used && ortKernels().length > 0))("LLM_CPU_KERNEL", () => {
  const [best] = ortKernels();
  test("names the kernel, the best unless it does", () => {
    const [used, answer] = said("");
    expect(used).toBe(best);
    for (const name of ortKernels()) expect(said(name)).toEqual([name, answer]);
    expect(said("onnxruntime")).toEqual(["undefined", answer]);
  });

  test("is refused where this processor has no such kernel", () => {
    const [code, message] = said("sse9");
    expect([code, message]).toEqual(["option-invalid", expect.stringMatching(/^LLM_CPU_KERNEL sse9: .*onnxruntime$/)]);
  });
});

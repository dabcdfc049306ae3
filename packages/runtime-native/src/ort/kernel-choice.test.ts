import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { COLUMNS, packedModel } from "../testing/packed-model.ts";
import { skipWithout } from "../testing/skip-without-addon.ts";
import { ortAddonStatus, ortKernels } from "./open.ts";

let folder: string;
let model: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "llm-kernel-choice-"));
  model = packedModel(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Said {
  readonly kernel?: string;
  readonly y?: readonly number[];
  readonly code?: string;
  readonly message?: string;
}

/** The kernel in use and a model's answer, or what is wrong, in a process of its own. */
function said(chosen: string, addon: Readonly<Record<string, string>> = {}): Said {
  const program = `
    const { openOrt, ortKernel, ortTensor } = await import(${JSON.stringify(new URL("./index.ts", import.meta.url))});
    try {
      const session = await openOrt(${JSON.stringify(model)}, { threads: 1, prepack: true });
      const x = Float32Array.from({ length: ${COLUMNS} }, (_, i) => Math.sin(i));
      const { y } = await session.run({ x: ortTensor("f32", [1, ${COLUMNS}], x) }, { y: null });
      console.log(JSON.stringify({ kernel: ortKernel(), y: [...y.data] }));
    } catch ({ code, message }) {
      console.log(JSON.stringify({ code, message }));
    }`;
  const env = { ...process.env, ...addon, LLM_CPU_KERNEL: chosen };
  const text = execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8", env });
  return JSON.parse(text) as Said;
}

/** The largest difference, against the largest value. */
function worst(actual: readonly number[], wanted: readonly number[]): number {
  const off = wanted.map((value, i) => Math.abs(actual[i]! - value));
  return Math.max(...off) / Math.max(...wanted.map(Math.abs));
}

test("without the addon LLM_CPU_KERNEL names the runtime's alone", () => {
  const off = { LLM_ADDON: "off" };
  const { code, message } = said("avx3", off);
  expect([code, message]).toEqual([
    "option-invalid",
    "LLM_CPU_KERNEL avx3: this processor, without the addon, can run onnxruntime",
  ]);
  for (const name of ["", "onnxruntime"]) expect(said(name, off).y).toBeDefined();
});

describe.skipIf(skipWithout(ortAddonStatus().used && ortKernels().length > 0))("LLM_CPU_KERNEL", () => {
  const [best] = ortKernels();

  test("names the kernel, the best unless it does", () => {
    const unless = said("");
    expect(unless.kernel).toBe(best);
    for (const name of [...ortKernels(), "onnxruntime"]) {
      const { kernel, y } = said(name);
      expect(kernel).toBe(name === "onnxruntime" ? undefined : name);
      expect(worst(y!, unless.y!)).toBeLessThan(2e-3); // one activation may round the other way
    }
  });

  test("is refused where this processor has no such kernel", () => {
    const { code, message } = said("sse9");
    expect([code, message]).toEqual(["option-invalid", expect.stringMatching(/^LLM_CPU_KERNEL sse9: .*onnxruntime$/)]);
  });
});

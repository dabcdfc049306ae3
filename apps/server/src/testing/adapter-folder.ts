import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeSafetensors } from "@llm/toolchain";
import { randomOf } from "./random.ts";

const RANK = 2;
/** The demo's width, and that inside its MLP. */
const WIDTH = 256;
const INNER = 1024;

/** A LoRA adapter of the demo as PEFT saves it, with numbers from a seed; and a way to be rid of it. */
export async function adapterFolder(seed: number): Promise<{ readonly folder: string; remove(): void }> {
  const folder = mkdtempSync(join(tmpdir(), "llm-adapter-"));
  const config = { peft_type: "LORA", r: RANK, lora_alpha: 2 * RANK, target_modules: ["c_fc"], fan_in_fan_out: false };
  writeFileSync(join(folder, "adapter_config.json"), JSON.stringify(config));
  const random = randomOf(seed);
  const matrix = (name: string, shape: readonly [number, number]) => ({
    name: `base_model.model.transformer.h.2.mlp.c_fc.${name}.weight`,
    shape,
    data: Float32Array.from({ length: shape[0] * shape[1] }, () => random() - 0.5),
  });
  const matrices = [matrix("lora_A", [RANK, WIDTH]), matrix("lora_B", [INNER, RANK])];
  await writeSafetensors(join(folder, "adapter_model.safetensors"), matrices);
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

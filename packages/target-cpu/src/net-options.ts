import { join } from "node:path";
import type { OrtOptions } from "@llm/runtime-native/ort";
import type { Manifest } from "@llm/target";
import { panelCache } from "@llm/target/engine";
import { packedBits, type WeightOptions } from "./options.ts";

/** Less is put in order sooner than a file of it is found. */
const WORTH_BYTES = 16 << 20;

/**
 * How a net of an artefact is loaded. Kernels for packed weights want them in an order of their own: what that made is kept, by
 * the key of what made the net, and mapped. Float32 ones do as well without, mapped from their file.
 */
export function netOptions({ model, options, units, files }: Manifest, net: string): OrtOptions {
  if (packedBits(options as unknown as WeightOptions) === undefined) return { prepack: false };
  const unit = units.find(({ id }) => id === net);
  const written = files.reduce((sum, file) => sum + ("link" in file ? 0 : file.bytes), 0);
  if (unit === undefined || written < WORTH_BYTES) return { prepack: true };
  const name = `${model.name.replaceAll(/[^\w.-]+/g, "--")}-${unit.key.slice(0, 16)}`;
  return { prepack: true, panels: join(panelCache(), name) };
}

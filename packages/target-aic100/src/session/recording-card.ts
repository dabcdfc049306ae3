import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { OrtTensor } from "@llm/runtime-native/ort";
import type { Card } from "./card.ts";

/** One tensor of a record, as the vendor's runner reads lists of them. */
export interface IoFile {
  readonly path: string;
  readonly "io-direction": "in" | "out";
  readonly "elem-size": number;
  readonly "map-to": string;
  readonly dims: readonly number[];
}

/** The list of the files, in the folder that they lie in. */
export const IO_LIST = "aic_batch_io.json";

type Kind = "prefill" | "decode";

/**
 * A card whose first prompt's call and first token's call are written down: inputs and logits as raw bytes, and a list of them
 * that the vendor's runner takes.
 */
export function recordingCard<C extends Card>(card: C, folder: string): C {
  const calls = new Map<Kind, readonly IoFile[]>();
  const call: Card["call"] = async (inputs) => {
    const logits = await card.call(inputs);
    const [rows, width] = inputs.input_ids!.shape as [number, number];
    const kind: Kind = width === 1 ? "decode" : "prefill";
    if (!calls.has(kind)) {
      const shape = [rows, logits.length / rows / card.vocab, card.vocab];
      const given = Object.entries(inputs).map(([name, tensor]) => writeTensor(folder, kind, "in", name, tensor));
      const made = writeTensor(folder, kind, "out", "logits", { dtype: "f32", shape, data: logits });
      calls.set(kind, await Promise.all([...given, made]));
      await writeFile(join(folder, IO_LIST), `${JSON.stringify({ "IO-files": [...calls.values()] }, undefined, 1)}\n`);
    }
    return logits;
  };
  return new Proxy(card, {
    get(target, key) {
      if (key === "call") return call;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

async function writeTensor(
  folder: string,
  kind: Kind,
  direction: IoFile["io-direction"],
  name: string,
  { shape, data }: OrtTensor,
): Promise<IoFile> {
  const path = `${kind}/${name}.raw`;
  await mkdir(join(folder, kind), { recursive: true });
  await writeFile(join(folder, path), new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return {
    path,
    "io-direction": direction,
    "elem-size": data.BYTES_PER_ELEMENT,
    "map-to": name,
    dims: shape,
  };
}

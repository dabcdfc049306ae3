import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type OrtTensor, ortTensor } from "@llm/runtime-native/ort";
import { makeFolder } from "@llm/tensor/files";
import type { Answers } from "./answer.ts";
import type { CallOf, Card } from "./card.ts";

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

/**
 * A card whose first prompt's call and first token's call are written down: inputs and what it gave as raw bytes, and a list of them
 * that the vendor's runner takes.
 */
export function recordingCard<C extends Card>(card: C, folder: string): C {
  const calls = new Map<CallOf, readonly IoFile[]>();
  const call: Card["call"] = async (inputs, kind) => {
    const answers = await card.call(inputs, kind);
    const [rows] = inputs.input_ids!.shape as [number];
    if (!calls.has(kind)) {
      const given = Object.entries(inputs).map(([name, tensor]) => writeTensor(folder, kind, "in", name, tensor));
      const made = writeTensor(folder, kind, "out", card.output, tensorOf(answers, rows, card.vocab));
      calls.set(kind, await Promise.all([...given, made]));
      await writeFile(join(folder, IO_LIST), `${JSON.stringify({ "IO-files": [...calls.values()] }, undefined, 1)}\n`);
    }
    return answers;
  };
  return new Proxy(card, {
    get(target, key) {
      if (key === "call") return call;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** As the device gave it: tokens come in 64 bits. */
function tensorOf(answers: Answers, rows: number, vocab: number): OrtTensor {
  if (answers instanceof Int32Array)
    return ortTensor("i64", [rows, answers.length / rows, 1], BigInt64Array.from(answers, BigInt));
  return ortTensor("f32", [rows, answers.length / rows / vocab, vocab], answers);
}

async function writeTensor(
  folder: string,
  kind: CallOf,
  direction: IoFile["io-direction"],
  name: string,
  { shape, data }: OrtTensor,
): Promise<IoFile> {
  const path = `${kind}/${name}.raw`;
  await makeFolder(join(folder, kind));
  await writeFile(join(folder, path), new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return {
    path,
    "io-direction": direction,
    "elem-size": data.BYTES_PER_ELEMENT,
    "map-to": name,
    dims: shape,
  };
}

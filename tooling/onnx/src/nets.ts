import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { OrtSession, OrtTensor } from "@llm/runtime-native/ort";
import { openFile } from "./run-file.ts";

/** A prompt, and how the reference went on. */
export interface Told {
  readonly input_ids: readonly number[];
  readonly greedy: readonly number[];
}

/** Logits after the prompt, and after each token of the answer but its last: what each of them was chosen by. */
export type Drive = (folder: string, told: Told) => Promise<readonly Float32Array[]>;

/** Nets of a folder by name, each opened when it is first asked for. */
export class Nets {
  readonly names: ReadonlySet<string>;
  readonly #folder: string;
  readonly #open = new Map<string, OrtSession>();

  constructor(folder: string) {
    this.#folder = folder;
    const files = readdirSync(folder).filter((file) => file.endsWith(".onnx"));
    this.names = new Set(files.map((file) => file.slice(0, -".onnx".length)));
  }

  /** How many blocks there are; each has a net for prompts and one for what follows. */
  get blocks(): number {
    return [...this.names].filter((name) => name.startsWith("block_cache_")).length;
  }

  async get(name: string): Promise<OrtSession> {
    const net = this.#open.get(name) ?? (await openFile(join(this.#folder, `${name}.onnx`)));
    this.#open.set(name, net);
    return net;
  }

  async close(): Promise<void> {
    for (const net of this.#open.values()) await net.close();
  }
}

export async function withNets<T>(folder: string, work: (nets: Nets) => Promise<T>): Promise<T> {
  const nets = new Nets(folder);
  return work(nets).finally(() => nets.close());
}

export const floats = ({ data }: OrtTensor) => data as Float32Array;

export function lastRow(logits: OrtTensor): Float32Array {
  const vocab = logits.shape.at(-1)!;
  return floats(logits).slice(-vocab);
}

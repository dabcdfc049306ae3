import { NativeError } from "@llm/runtime-native";
import type { BmrtNet } from "@llm/runtime-native/bmrt";
import { HostBmrt, type Launch } from "./host-bmrt.ts";

/** Sizes of a model that is small enough to be worked out by plain loops. */
export interface FakeSizes {
  readonly layers: number;
  readonly places: number;
  readonly width: number;
  readonly vocab: number;
  /** Old nets have keys and values in one tensor, give the whole history back, and choose the token themselves. */
  readonly style: "new" | "old";
  /** Blocks are spread over so many devices. */
  readonly devices: number;
  /** Whether there is a net that chooses the best token. */
  readonly greedyHead: boolean;
  /** How many of the best tokens there is a net that finds; 0: there is none. */
  readonly candidates: number;
  /** Nets have memory of their own for what they are given, into which the runtime copies what lies elsewhere. */
  readonly ownMemory?: boolean;
}

type Kind = "embedding" | "prompt" | "token" | "head" | "greedy" | "sample";

interface FakeNet {
  readonly kind: Kind;
  readonly layer: number;
  readonly info: BmrtNet;
}

/**
 * Devices of loops: nets compute a small attention that only depends on what their mask shows. What a mask hides still has to be
 * a number, as on the chip.
 */
export class FakeBmrt extends HostBmrt {
  readonly #sizes: FakeSizes;
  readonly #nets: FakeNet[][];
  /** Fails the launch with this number, once. */
  failAt: number | undefined;

  constructor(sizes: FakeSizes) {
    super(sizes.devices);
    this.#sizes = sizes;
    this.#nets = fakeNets(sizes);
  }

  async load(device: number): Promise<readonly BmrtNet[]> {
    if (this.#sizes.ownMemory)
      for (const net of this.#nets[device]!) Object.assign(net, { info: await this.#withMemory(device, net.info) });
    return this.#nets[device]!.map(({ info }) => info);
  }

  async #withMemory(device: number, net: BmrtNet): Promise<BmrtNet> {
    const stages = [];
    for (const { inputs, outputs } of net.stages) {
      const own = [];
      for (const port of inputs) own.push({ ...port, buffer: await this.allocate(device, port.bytes) });
      stages.push({ inputs: own, outputs });
    }
    return { ...net, addressMode: "io-alone", stages };
  }

  protected launch({ device, net, stage, inputs, outputs }: Launch): void {
    const { kind, layer, info } = this.#nets[device]![net]!;
    this.launches.push(`${device}:${info.name}`);
    if (this.launches.length === this.failAt) throw refusedLaunch();
    const shapes = info.stages[stage]!;
    const ins = inputs.map((place, i) => {
      const { bytes, buffer } = shapes.inputs[i]!;
      const given = this.floats(device, place, bytes);
      if (buffer === undefined) return given;
      const own = this.floats(device, [buffer, 0], bytes);
      own.set(given);
      return own;
    });
    const outs = outputs.map((place, i) => this.floats(device, place, shapes.outputs[i]!.bytes));
    if (kind === "embedding") this.#embed(ins, outs[0]!);
    else if (kind === "head") this.#head(ins[0]!, outs[0]!);
    else if (kind === "greedy") intsOf(outs[0]!)[0] = argmax(ins[0]!);
    else if (kind === "sample") sampleHead(ins, outs);
    else this.#block(kind, layer, ins, outs);
  }

  #embed([ids, positions]: readonly Float32Array[], hidden: Float32Array): void {
    const { width } = this.#sizes;
    intsOf(ids!).forEach((id, i) => {
      for (let j = 0; j < width; j++) hidden[i * width + j] = Math.sin(id * 1.7 + intsOf(positions!)[i]! * 0.31 + j);
    });
  }

  #block(
    kind: Kind,
    layer: number,
    [hidden, mask, ...history]: readonly Float32Array[],
    outs: readonly Float32Array[],
  ) {
    const { width, places, style } = this.#sizes;
    const tokens = hidden!.length / width;
    const own = Float32Array.from(hidden!, (x) => x * Math.cos(layer + 1));
    const past = kind === "token" ? places : 0;
    const columns = past + tokens;
    const entry = (column: number, j: number) => {
      if (column >= past) return own[(column - past) * width + j]!;
      if (style === "old") return history[0]![column * 2 * width + width + j]!;
      return history[1]![column * width + j]!;
    };
    const source = hidden!.slice();
    for (let i = 0; i < tokens; i++)
      for (let j = 0; j < width; j++) {
        let sum = 0;
        let seen = 0;
        for (let column = 0; column < columns; column++) {
          const shown = mask![i * columns + column] === 0 ? 1 : 0;
          sum += shown * entry(column, j); // a number that is none stays one, hidden or not
          seen += shown;
        }
        outs[0]![i * width + j] = Math.tanh(source[i * width + j]! + sum / seen);
      }
    this.#remember(kind, source, own, history, outs);
  }

  #remember(
    kind: Kind,
    keys: Float32Array,
    values: Float32Array,
    history: readonly Float32Array[],
    outs: readonly Float32Array[],
  ) {
    const { width, style } = this.#sizes;
    if (style === "new") {
      outs[1]!.set(keys);
      outs[2]!.set(values);
      return;
    }
    const both = new Float32Array(2 * keys.length);
    for (let i = 0; i < keys.length / width; i++) {
      both.set(keys.subarray(i * width, (i + 1) * width), i * 2 * width);
      both.set(values.subarray(i * width, (i + 1) * width), i * 2 * width + width);
    }
    if (kind === "token") outs[1]!.set(history[0]!.slice());
    outs[1]!.set(both, outs[1]!.length - both.length);
  }

  #head(hidden: Float32Array, out: Float32Array): void {
    const logits = fakeLogits(hidden, this.#sizes.vocab);
    if (this.#sizes.style === "old") intsOf(out)[0] = argmax(logits);
    else out.set(logits);
  }
}

/** A launch that the driver refuses. */
function refusedLaunch(): NativeError {
  return new NativeError("device-failed", "the launch failed", { call: "bmrt_launch_tensor_ex", status: 0 });
}

/** What the fake model says after a history: the whole of it at once, by plain loops and without a cache. */
export function fakeOracle(sizes: FakeSizes): (history: readonly number[]) => Float32Array {
  const { width, layers, vocab } = sizes;
  return (history) => {
    let hidden = history.map((id, position) =>
      Float32Array.from({ length: width }, (_, j) => Math.sin(id * 1.7 + position * 0.31 + j)),
    );
    for (let layer = 0; layer < layers; layer++) {
      const values = hidden.map((row) => row.map((x) => Math.fround(x * Math.cos(layer + 1))));
      hidden = hidden.map((row, i) =>
        row.map((x, j) => {
          let sum = 0;
          for (let column = 0; column <= i; column++) sum += values[column]![j]!;
          return Math.tanh(x + sum / (i + 1));
        }),
      );
    }
    return fakeLogits(hidden.at(-1)!, vocab);
  };
}

function fakeLogits(hidden: Float32Array, vocab: number): Float32Array {
  return Float32Array.from({ length: vocab }, (_, v) => {
    let sum = 0;
    for (let j = 0; j < hidden.length; j++) sum += hidden[j]! * Math.cos(v * 2.3 + j * (v + 1));
    return sum;
  });
}

/** Shares of the best tokens among themselves, and which they are. */
function sampleHead(
  [logits, temperature]: readonly Float32Array[],
  [shares, candidates]: readonly Float32Array[],
): void {
  const best = [...logits!.keys()].sort((a, b) => logits![b]! - logits![a]!).slice(0, shares!.length);
  intsOf(candidates!).set(best);
  const weights = best.map((id) => Math.exp((logits![id]! - logits![best[0]!]!) / temperature![0]!));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  shares!.set(weights.map((weight) => weight / total));
}

function intsOf({ buffer, byteOffset, length }: Float32Array): Int32Array {
  return new Int32Array(buffer as ArrayBuffer, byteOffset, length);
}

function argmax(values: Float32Array): number {
  return values.reduce((best, x, i) => (x > values[best]! ? i : best), 0);
}

function fakeNets({ layers, places, width, vocab, style, devices, greedyHead, candidates }: FakeSizes): FakeNet[][] {
  const nets: FakeNet[][] = Array.from({ length: devices }, () => []);
  const tensor = (name: string, dtype: "f32" | "i32", ...shapes: readonly (readonly number[])[]) => ({
    name,
    dtype,
    shapes,
  });
  type Tensor = ReturnType<typeof tensor>;
  const add = (device: number, kind: Kind, layer: number, name: string, ins: Tensor[], outs: Tensor[]) => {
    const port = ({ name, dtype }: Tensor) => ({ name, dtype });
    const bytes = (shape: readonly number[]) => 4 * shape.reduce((product, size) => product * size, 1);
    const at = (tensors: Tensor[], stage: number) =>
      tensors.map(({ shapes }) => ({ shape: shapes[stage]!, bytes: bytes(shapes[stage]!) }));
    const stages = ins[0]!.shapes.map((_, stage) => ({ inputs: at(ins, stage), outputs: at(outs, stage) }));
    const info: BmrtNet = {
      name,
      dynamic: false,
      addressMode: "basic",
      inputs: ins.map(port),
      outputs: outs.map(port),
      stages,
    };
    nets[device]!.push({ kind, layer, info });
  };
  const ids = [
    [1, 1],
    [1, places],
  ] as const;
  add(
    0,
    "embedding",
    0,
    "embedding",
    [tensor("input_ids", "i32", ...ids), tensor("input_pos", "i32", ...ids)],
    [tensor("hidden_state", "f32", [1, 1, width], [1, places, width])],
  );
  const history = (rows: number): Tensor[] =>
    style === "old"
      ? [tensor("past_cache", "f32", [1, rows, 2 * width])]
      : [tensor("history_k", "f32", [1, rows, 1, width]), tensor("history_v", "f32", [1, rows, 1, width])];
  const hidden = (rows: number) => tensor("states", "f32", [1, rows, width]);
  const mask = (rows: number, columns: number) => tensor("attention_mask", "f32", [1, 1, rows, columns]);
  for (let layer = 0; layer < layers; layer++) {
    const device = Math.floor((layer * devices) / layers);
    add(
      device,
      "prompt",
      layer,
      `block_${layer}`,
      [hidden(places), mask(places, places)],
      [hidden(places), ...history(places)],
    );
    const given = history(style === "old" ? places + 1 : 1);
    add(
      device,
      "token",
      layer,
      `block_cache_${layer}`,
      [hidden(1), mask(1, places + 1), ...history(places)],
      [hidden(1), ...given],
    );
  }
  const last = devices - 1;
  const out = style === "old" ? tensor("token", "i32", [1, 1]) : tensor("logits", "f32", [1, vocab]);
  add(last, "head", 0, "lm_head", [hidden(1)], [out]);
  if (greedyHead)
    add(last, "greedy", 0, "greedy_head", [tensor("logits", "f32", [1, vocab])], [tensor("token", "i32", [1, 1])]);
  if (candidates > 0)
    add(
      last,
      "sample",
      0,
      "sample_head",
      [tensor("logits", "f32", [1, vocab]), tensor("temperature", "f32", [1, 1])],
      [tensor("probabilities", "f32", [1, candidates]), tensor("candidates", "i32", [1, candidates])],
    );
  return nets;
}

import { TargetError } from "@llm/target";
import { NOWHERE } from "../graph/positions-generation.ts";

/** In protobuf's terms: graph of a model, initializers of a graph, dims, type and bytes of a tensor. */
const GRAPH = 7;
const INITIALIZER = 5;
const DIMS = 1;
const DATA_TYPE = 2;
const RAW_DATA = 9;
const INT32 = 6;

/** What the emulator has for an index that the card doesn't follow: the last place, which no token is kept at. */
const LAST = -1;

/**
 * A model whose scalar constants that are the index of nowhere are -1: ONNX has no index out of range. Everything else is byte
 * by byte the same; `indexConstants` of both says so.
 */
export function overrideIndices(model: Uint8Array): Uint8Array {
  const twin = Uint8Array.from(model);
  const view = new DataView(twin.buffer);
  for (const at of indexConstants(model)) view.setInt32(at, LAST, true);
  return twin;
}

/** Throws unless `twin` is `model` but for constants that are the index of nowhere. */
export function checkTwin(model: Uint8Array, twin: Uint8Array, file: string): void {
  const expected = overrideIndices(model);
  if (Buffer.compare(expected, twin) !== 0)
    throw new TargetError("artefact-damaged", `${file}: it is not the model that would be compiled; export again`);
}

/** Where the bytes of scalar i32 initializers lie that are the index of nowhere. */
export function indexConstants(model: Uint8Array): readonly number[] {
  const view = new DataView(model.buffer, model.byteOffset, model.byteLength);
  const found: number[] = [];
  for (const graph of fields(model, 0, model.length))
    if (graph.number === GRAPH)
      for (const { number, from, to } of fields(model, graph.from, graph.to))
        if (number === INITIALIZER) {
          const at = scalarAt(model, from, to);
          if (at !== undefined && view.getInt32(at, true) === NOWHERE) found.push(at);
        }
  return found;
}

/** Where the four bytes of a scalar i32 tensor lie. */
function scalarAt(bytes: Uint8Array, from: number, to: number): number | undefined {
  let at: number | undefined;
  let isInt = false;
  for (const field of fields(bytes, from, to)) {
    if (field.number === DIMS) return undefined;
    if (field.number === DATA_TYPE) isInt = field.value === INT32;
    if (field.number === RAW_DATA && field.to - field.from === 4) at = field.from;
  }
  return isInt ? at : undefined;
}

interface WireField {
  readonly number: number;
  /** Of a varint. */
  readonly value: number;
  readonly from: number;
  readonly to: number;
}

/** The fields of a message that our own writer made, in order. */
function* fields(bytes: Uint8Array, from: number, to: number): Generator<WireField> {
  let at = from;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++];
      if (byte === undefined) throw new TargetError("artefact-damaged", "the model ends in the middle; export again");
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < to) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    const kind = tag % 8;
    if (kind === 0) yield { number, value: varint(), from: at, to: at };
    else {
      const size = kind === 2 ? varint() : kind === 1 ? 8 : 4;
      yield { number, value: 0, from: at, to: at + size };
      at += size;
    }
  }
}

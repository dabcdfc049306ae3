import { closeSync, fstatSync, openSync } from "node:fs";
import { fromBinary } from "@bufbuild/protobuf";
import { ExportError } from "../error.ts";
import { OperatorSetIdProtoSchema, StringStringEntryProtoSchema, ValueInfoProtoSchema } from "../gen/onnx_pb.ts";
import { elementName } from "../model/element-type.ts";
import { type Field, type Region, WireFile } from "./wire.ts";

/** What an ONNX file says of itself, without its tensors. */
export interface OnnxSummary {
  readonly name: string;
  readonly producer: string;
  readonly producerVersion: string;
  readonly irVersion: number;
  readonly opsets: Readonly<Record<string, number>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly inputs: readonly OnnxValueSummary[];
  readonly outputs: readonly OnnxValueSummary[];
  /** How often each op occurs, the most frequent first. */
  readonly ops: readonly { readonly op: string; readonly domain: string; readonly count: number }[];
  readonly functions: readonly string[];
  readonly initializers: readonly OnnxInitializerSummary[];
  readonly externalFiles: readonly { readonly location: string; readonly tensors: number; readonly bytes: number }[];
}

export interface OnnxValueSummary {
  readonly name: string;
  readonly type: string; // "float16"; "" where it is no tensor
  readonly shape: readonly (number | string)[]; // "?" where the file says nothing
}

export interface OnnxInitializerSummary {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly number[];
  /** Bytes inside the model. */
  readonly bytes: number;
  readonly external?: { readonly location: string; readonly offset: number; readonly length?: number };
}

/** More nodes, tensors or entries than this, and the file is not a model but an attempt. */
const MAX_ITEMS = 1_000_000;

/** What no tensor's rank exceeds. */
const MAX_RANK = 64;

/**
 * Reads the header of an ONNX file of any size: tensors are stepped over, nothing is believed before it is checked.
 *
 * @throws ExportError `file-missing`, `file-invalid`, `limit-exceeded`
 */
export function readOnnx(file: string): OnnxSummary {
  let fd: number;
  try {
    fd = openSync(file, "r");
  } catch (error) {
    throw new ExportError("file-missing", `can't be opened (${(error as NodeJS.ErrnoException).code})`, {
      file,
      cause: error,
    });
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new ExportError("file-invalid", "not a file", { file });
    return new Reader(new WireFile(fd, stat.size, file)).model();
  } catch (error) {
    if (ExportError.isInstance(error)) throw error;
    throw new ExportError("file-invalid", `not an ONNX model: ${(error as Error).message}`, { file, cause: error });
  } finally {
    closeSync(fd);
  }
}

class Reader {
  readonly #file: WireFile;
  readonly #opsets: Record<string, number> = Object.create(null);
  readonly #metadata: Record<string, string> = Object.create(null);
  readonly #inputs: OnnxValueSummary[] = [];
  readonly #outputs: OnnxValueSummary[] = [];
  readonly #ops = new Map<string, { op: string; domain: string; count: number }>();
  readonly #functions: string[] = [];
  readonly #initializers: OnnxInitializerSummary[] = [];
  #items = 0;
  #name = "";
  #producer = "";
  #producerVersion = "";
  #irVersion = 0;
  #graphs = 0;

  constructor(file: WireFile) {
    this.#file = file;
  }

  model(): OnnxSummary {
    for (const field of this.#file.fields({ start: 0, end: this.#file.size })) {
      this.#count();
      if (field.number === 1 && "value" in field) this.#irVersion = Number(field.value);
      if (!("region" in field)) continue;
      if (field.number === 2) this.#producer = this.#text(field.region);
      else if (field.number === 3) this.#producerVersion = this.#text(field.region);
      else if (field.number === 7) this.#graph(field.region);
      else if (field.number === 8) this.#opset(field.region);
      else if (field.number === 14) this.#entry(field.region, this.#metadata);
      else if (field.number === 25) this.#function(field.region);
    }
    if (this.#graphs !== 1 || this.#irVersion < 1) throw this.#file.invalid("it holds no graph");
    const given = new Set(this.#initializers.map(({ name }) => name)); // listed as inputs too before IR version 4
    return {
      name: this.#name,
      producer: this.#producer,
      producerVersion: this.#producerVersion,
      irVersion: this.#irVersion,
      opsets: { ...this.#opsets },
      metadata: { ...this.#metadata },
      inputs: this.#inputs.filter(({ name }) => !given.has(name)),
      outputs: this.#outputs,
      ops: [...this.#ops.values()].sort((a, b) => b.count - a.count || (a.op < b.op ? -1 : 1)),
      functions: this.#functions,
      initializers: this.#initializers,
      externalFiles: externalFiles(this.#initializers),
    };
  }

  #graph(region: Region): void {
    if (++this.#graphs > 1) throw this.#file.invalid("it holds more than one graph");
    for (const field of this.#file.fields(region)) {
      this.#count();
      if (!("region" in field)) continue;
      if (field.number === 1) this.#node(field.region);
      else if (field.number === 2) this.#name = this.#text(field.region);
      else if (field.number === 5) this.#initializers.push(this.#initializer(field.region));
      else if (field.number === 11) this.#inputs.push(this.#value(field.region));
      else if (field.number === 12) this.#outputs.push(this.#value(field.region));
    }
  }

  #node(region: Region): void {
    const op = this.#string(region, 4);
    const domain = this.#string(region, 7);
    const key = `${domain}:${op}`;
    const entry = this.#ops.get(key) ?? { op, domain, count: 0 };
    entry.count++;
    this.#ops.set(key, entry);
  }

  #function(region: Region): void {
    const domain = this.#string(region, 10);
    this.#functions.push(`${domain}:${this.#string(region, 1)}`);
  }

  #initializer(region: Region): OnnxInitializerSummary {
    let name = "";
    let type = 0;
    let bytes = 0;
    const shape: number[] = [];
    const external: Record<string, string> = Object.create(null);
    for (const field of this.#file.fields(region)) {
      if (field.number === 1) this.#dims(field, shape);
      else if (field.number === 2 && "value" in field) type = Number(field.value);
      else if ("region" in field) {
        if (field.number === 8) name = this.#text(field.region);
        else if (field.number === 13) this.#entry(field.region, external);
        else if (TENSOR_DATA.has(field.number)) bytes += field.region.end - field.region.start;
      }
    }
    const summary = { name, type: elementName(type), shape, bytes };
    if (external.location === undefined) return summary;
    const length = external.length === undefined ? undefined : this.#size(external.length, name);
    return {
      ...summary,
      external: {
        location: external.location,
        offset: this.#size(external.offset ?? "0", name),
        ...(length === undefined ? {} : { length }),
      },
    };
  }

  /** Repeated numbers come one by one or packed. */
  #dims(field: Field, shape: number[]): void {
    if ("value" in field) shape.push(Number(BigInt.asIntN(64, field.value)));
    else {
      let value = 0n;
      let shift = 0n;
      for (const byte of this.#file.take(field.region)) {
        value |= BigInt(byte & 127) << shift;
        shift += 7n;
        if (byte >= 128) continue;
        shape.push(Number(BigInt.asIntN(64, value)));
        value = shift = 0n;
      }
    }
    if (shape.length > MAX_RANK) throw this.#file.invalid(`a tensor with more than ${MAX_RANK} dimensions`);
  }

  #value(region: Region): OnnxValueSummary {
    const { name, type } = fromBinary(ValueInfoProtoSchema, this.#file.take(region));
    if (type?.value.case !== "tensorType") return { name, type: "", shape: [] };
    const { elemType, shape } = type.value.value;
    return {
      name,
      type: elementName(elemType),
      shape: (shape?.dim ?? []).map(({ value }) =>
        value.case === "dimValue" ? Number(value.value) : value.case === "dimParam" ? value.value : "?",
      ),
    };
  }

  #opset(region: Region): void {
    const { domain, version } = fromBinary(OperatorSetIdProtoSchema, this.#file.take(region));
    this.#opsets[domain] = Number(version);
  }

  #entry(region: Region, into: Record<string, string>): void {
    const { key, value } = fromBinary(StringStringEntryProtoSchema, this.#file.take(region));
    into[key] = value;
  }

  #string(region: Region, number: number): string {
    for (const field of this.#file.fields(region))
      if (field.number === number && "region" in field) return this.#text(field.region);
    return "";
  }

  #text(region: Region): string {
    return new TextDecoder().decode(this.#file.take(region));
  }

  #size(text: string, tensor: string): number {
    const size = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (Number.isNaN(size))
      throw this.#file.invalid(`tensor ${JSON.stringify(tensor)} lies at ${JSON.stringify(text)}`);
    return size;
  }

  #count(): void {
    if (++this.#items > MAX_ITEMS) throw this.#file.tooMuch(`more than ${MAX_ITEMS} nodes and tensors`);
  }
}

/** Fields of a TensorProto that hold its values. */
const TENSOR_DATA = new Set([4, 5, 6, 7, 9, 10, 11]);

function externalFiles(initializers: readonly OnnxInitializerSummary[]) {
  const files = new Map<string, { location: string; tensors: number; bytes: number }>();
  for (const { external } of initializers) {
    if (external === undefined) continue;
    const file = files.get(external.location) ?? { location: external.location, tensors: 0, bytes: 0 };
    file.tensors++;
    file.bytes += external.length ?? 0;
    files.set(external.location, file);
  }
  return [...files.values()];
}

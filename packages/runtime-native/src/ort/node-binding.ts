import type { InferenceSession, Tensor } from "onnxruntime-node";
import { NativeError } from "../error.ts";
import { findBest } from "./best.ts";
import { checkCall, checkWanted } from "./checks.ts";
import { firstLine } from "./first-line.ts";
import { refusalOf } from "./refusal.ts";
import {
  configOf,
  type OrtOptions,
  type OrtPort,
  type OrtRunOptions,
  type OrtSession,
  type OrtTensors,
  type OrtWanted,
} from "./session.ts";
import { ORT_DTYPES, type OrtDType, type OrtTensor } from "./tensor.ts";

type Ort = typeof import("onnxruntime-node");

const DTYPE_OF = new Map(Object.entries(ORT_DTYPES).map(([dtype, { name }]) => [name, dtype as OrtDType]));

/** onnxruntime-node; loaded when first asked for, because a program may never need it. */
export async function importOrt(
  load: () => Promise<Ort & { default?: Ort }> = () => import("onnxruntime-node"),
): Promise<Ort> {
  let ort: Ort & { default?: Ort };
  try {
    ort = await load();
  } catch (cause) {
    const isThere = (cause as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND";
    const why = isThere ? `can't be loaded: ${firstLine(cause)}` : "is not installed: npm install onnxruntime-node";
    throw new NativeError("runtime-missing", `onnxruntime-node ${why}`, { cause });
  }
  return withHalves(ort.default ?? ort);
}

let halvesWork = false;

/**
 * Where the language has Float16Array, onnxruntime-common 1.30 expects it for float16 while its binding still reads and
 * writes Uint16Array, and every float16 tensor fails. It decides once, at the first tensor it makes: without
 * Float16Array in sight it settles for raw bits on both sides.
 */
function withHalves(ort: Ort): Ort {
  if (halvesWork) return ort;
  const half = Object.getOwnPropertyDescriptor(globalThis, "Float16Array");
  if (half) Reflect.deleteProperty(globalThis, "Float16Array");
  try {
    new ort.Tensor("float16", new Uint16Array(1), [1]);
  } finally {
    if (half) Object.defineProperty(globalThis, "Float16Array", half);
  }
  halvesWork = true;
  return ort;
}

/** A model behind the binding that ONNX Runtime publishes: every run blocks the event loop and copies its outputs. */
export class NodeOrtSession implements OrtSession {
  readonly backend = "onnxruntime-node";
  readonly version: string;
  readonly inputs: readonly OrtPort[];
  readonly outputs: readonly OrtPort[];
  readonly #file: string;
  readonly #ort: Ort;
  readonly #wrapped = new WeakMap<OrtTensor, Tensor>();
  #session: InferenceSession | undefined;

  private constructor(file: string, ort: Ort, session: InferenceSession) {
    this.#file = file;
    this.#ort = ort;
    this.#session = session;
    this.version = ort.env.versions.node ?? ort.env.versions.common;
    this.inputs = session.inputMetadata.map((meta) => portOf(file, meta));
    this.outputs = session.outputMetadata.map((meta) => portOf(file, meta));
  }

  static async open(file: string, options: OrtOptions): Promise<NodeOrtSession> {
    const ort = await importOrt();
    try {
      return new NodeOrtSession(file, ort, await ort.InferenceSession.create(file, sessionOptions(options)));
    } catch (cause) {
      if (NativeError.isInstance(cause)) throw cause;
      throw refusalOf(file, cause);
    }
  }

  async run(inputs: OrtTensors, wanted: OrtWanted, { best = [] }: OrtRunOptions = {}): Promise<OrtTensors> {
    const session = this.#session;
    if (session === undefined) throw new NativeError("closed", "this model is closed", { file: this.#file });
    checkCall(this.#file, this.inputs, inputs);
    checkWanted(this.#file, this.outputs, wanted);
    const feeds = Object.fromEntries(Object.entries(inputs).map(([name, tensor]) => [name, this.#wrap(tensor)]));
    const fetches = Object.fromEntries(
      Object.entries(wanted).map(([name, tensor]) => [name, tensor === null ? null : this.#wrap(tensor)]),
    );
    let results: InferenceSession.ReturnType;
    try {
      results = await session.run(feeds, fetches);
    } catch (cause) {
      throw new NativeError("run-failed", `ONNX Runtime: ${firstLine(cause)}`, { file: this.#file, cause });
    }
    // What was written where it was wanted comes back as a copy, too, the whole cache among it, and would wait to be collected.
    for (const [name, tensor] of Object.entries(wanted)) if (tensor !== null) giveUp(results[name] as Tensor, tensor);
    for (const search of best) findBest(search);
    return Object.fromEntries(
      Object.entries(wanted).map(([name, tensor]) => [name, tensor ?? unwrap(results[name] as Tensor)]),
    );
  }

  async close(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.release();
  }

  #wrap(tensor: OrtTensor): Tensor {
    let wrapped = this.#wrapped.get(tensor);
    if (wrapped === undefined) {
      const type = ORT_DTYPES[tensor.dtype].name as Tensor.Type;
      wrapped = new this.#ort.Tensor(type, tensor.data as Tensor.DataType, tensor.shape) as Tensor;
      this.#wrapped.set(tensor, wrapped);
    }
    return wrapped;
  }
}

/** Frees a copy's memory now. */
function giveUp(copy: Tensor | undefined, { data: own }: OrtTensor): void {
  const buffer = (copy?.data as OrtTensor["data"] | undefined)?.buffer;
  if (buffer instanceof ArrayBuffer && buffer !== own.buffer) buffer.transfer(0);
}

function unwrap(tensor: Tensor): OrtTensor {
  return { dtype: DTYPE_OF.get(tensor.type)!, shape: tensor.dims, data: tensor.data as OrtTensor["data"] };
}

function portOf(file: string, meta: InferenceSession.ValueMetadata): OrtPort {
  const dtype = meta.isTensor ? DTYPE_OF.get(meta.type) : undefined;
  if (!meta.isTensor || dtype === undefined)
    throw new NativeError("model-invalid", `"${meta.name}" is no tensor of numbers`, { file });
  return { name: meta.name, dtype, shape: meta.shape };
}

function sessionOptions(options: OrtOptions): InferenceSession.SessionOptions {
  return {
    executionProviders: ["cpu"],
    graphOptimizationLevel: "all",
    logSeverityLevel: 4, // errors come as exceptions; nothing is written to the terminal behind the program's back
    enableCpuMemArena: options.arena ?? false,
    ...(options.threads === undefined ? {} : { intraOpNumThreads: options.threads }),
    extra: nested(configOf(options)),
  };
}

/** "session.disable_prepacking" as the binding wants it: objects within objects. */
function nested(config: Readonly<Record<string, string>>): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(config)) {
    const parts = key.split(".");
    const last = parts.pop()!;
    let at = root;
    for (const part of parts) at = (at[part] ??= {}) as Record<string, unknown>;
    at[last] = value;
  }
  return root;
}

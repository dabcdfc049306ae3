import { cacheFormat, corePasses, emulation, type Graph, programOf, runPipeline } from "@llm/core-ir";
import type { OptionTable, Target } from "@llm/target";
import { FORMATS, formatName, type WeightExpr } from "@llm/tensor";
import { type BuildOptions, build, prepare } from "../build.ts";
import { ToolchainError } from "../error.ts";
import type { Model } from "../open-model.ts";
import { openReference } from "../reference.ts";
import { runExposed } from "../run-exposed.ts";
import { targetOptions } from "../target-options.ts";

export type Options = Readonly<Record<string, unknown>>;

/** Computes logits of one sequence at a time. */
export interface Prober {
  /** Most tokens of a step. */
  readonly chunk: number;
  /** Logits (last, vocab) after the last of `tokens`, the first at `at` of a text of `reach`; a view until the next step. */
  step(at: number, tokens: Int32Array, last: number, reach: number): Promise<Float32Array>;
  close(): Promise<void>;
}

/** The stream that each block hands on. */
export type Streams = readonly { readonly name: string; readonly values: Float32Array }[];

/** What runs a model in one of several formats: a target, or the plain interpreter. */
export interface Engine {
  readonly id: string;
  /** The same options with nothing rounded. */
  unquantised(options: Options): Options;
  open(options: Options, context: number): Promise<Prober>;
  streams(options: Options, ids: Int32Array): Promise<Streams>;
  /** Equal for equal results. */
  key(options: Options): Promise<string>;
  /** What a model's weights are, and in which formats they are kept. */
  weights(options: Options): Promise<readonly { readonly expr: WeightExpr; readonly shape: readonly number[] }[]>;
}

/** Options that make a model another one than the checkpoint: without them it is unquantised. */
export const PRECISION_OPTIONS = [
  "format",
  "emulate",
  "qGroupSize",
  "formatRules",
  "kvFormat",
  "activations",
  "mxfp6",
  "mxint8",
] as const;

export function unquantised(options: Options): Options {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !PRECISION_OPTIONS.some((one) => one === name)));
}

/** A device that rounds unless it is told not to, and can be told so only where it is emulated. */
function exactOn<O>({ options: table }: Target<O>, given: Options): Options {
  const { format } = table as { readonly format?: { readonly choices?: readonly string[] } };
  const plain = unquantised(given);
  if (!format?.choices?.includes(EXACT) || given.emulate !== true) return plain;
  return { ...plain, emulate: true, format: EXACT };
}

const EXACT = "fp32";

export interface EngineOptions extends Pick<BuildOptions, "env" | "signal" | "onEvent"> {}

/** A model on a device. */
export function deviceEngine<O>(model: Model, target: Target<O>, options: EngineOptions = {}): Engine {
  return {
    id: target.id,
    unquantised: (given) => exactOn(target, given),
    async open(given) {
      const prepared = await prepare(model, target, given);
      const { artefact } = await build(prepared, options);
      const session = await target.open(artefact, prepared.options);
      return {
        chunk: session.limits.chunk,
        async step(at, tokens, last, reach) {
          const want = last > 0 ? { want: { kind: "logits" as const, last } } : {};
          const [result] = await session.step([{ slot: 0, at, tokens, reach, ...want }]);
          return result?.logits ?? new Float32Array();
        },
        close: () => session.close(),
      };
    },
    async streams(given, ids) {
      const { onEvent: _, ...rest } = options;
      return (await runExposed(model, model.graph, target, ids, { ...rest, targetOptions: given })).blocks;
    },
    key: async (given) => (await prepare(model, target, given)).key,
    async weights(given) {
      const { program } = await prepare(model, target, given);
      return program.nets.flatMap(({ graph }) => weightsOf(graph));
    },
  };
}

/** What the plain interpreter can be told of formats. */
export interface ReferenceFormats {
  readonly format: string;
  readonly qGroupSize: number;
  readonly kvFormat: string;
  readonly activations: string;
}

/** The interpreter's options, as a target would have them. */
export const referenceOptions: OptionTable<ReferenceFormats> = {
  format: {
    kind: "string",
    doc: "Round weights to any number format of docs/formats.md.",
    default: "fp32",
    numberFormat: true,
    shapes: true,
  },
  qGroupSize: {
    kind: "number",
    whole: true,
    min: 0,
    doc: "Weights that share a scale, for a format that has a choice; 0: its own.",
    default: 0,
    shapes: true,
  },
  kvFormat: {
    kind: "string",
    doc: "Round what the cache holds to any number format that rows of a head can be cut into.",
    default: "fp32",
    numberFormat: true,
    shapes: true,
  },
  activations: {
    kind: "choice",
    doc: "Round results between ops.",
    default: "fp32",
    choices: ["fp32", "fp16", "bf16"],
    shapes: true,
  },
};

/** A canonical graph with other formats' numerics, for the interpreter. */
export function withFormats(graph: Graph, given: Options): Graph {
  const { format, qGroupSize, kvFormat, activations } = targetOptions<ReferenceFormats>(
    { id: "reference", options: referenceOptions },
    given,
  );
  for (const [name, value] of Object.entries({ format, kvFormat }))
    if (!Object.hasOwn(FORMATS, formatName(value)))
      throw new ToolchainError(
        "option-invalid",
        `${name} is one of ${Object.keys(FORMATS).join(", ")}, not "${value}"`,
      );
  const steps = [
    ...emulation({ format, group: qGroupSize, activations }),
    { pass: "cache-form", params: { form: "none", ...cacheFormat(kvFormat) } },
  ];
  return runPipeline(programOf(graph), steps, { passes: corePasses }).nets[0]!.graph;
}

/** Tokens of a step of the interpreter: it holds everything in between. */
const REFERENCE_CHUNK = 256;

/** A model on the plain interpreter. */
export function referenceEngine(model: Model): Engine {
  const open = (given: Options, context: number) =>
    openReference({ graph: withFormats(model.graph, given), weights: model.weights }, { context });
  return {
    id: "reference",
    unquantised,
    async open(given, context) {
      const reference = await open(given, context);
      return {
        chunk: REFERENCE_CHUNK,
        step: async (at, tokens, last, reach) =>
          (await reference.step([{ slot: 0, at, tokens, last, reach }]))[0]!.logits,
        close: async () => {},
      };
    },
    async streams(given, ids) {
      const [result] = await (await open(given, ids.length)).step([{ slot: 0, at: 0, tokens: ids, last: 1 }]);
      const names = model.graph.blocks.map(({ name }) => name);
      return result!.hidden.map((values, i) => ({ name: names[i]!, values }));
    },
    key: async (given) => JSON.stringify([model.weights.fingerprint, model.name, given]),
    weights: async (given) => weightsOf(withFormats(model.graph, given)),
  };
}

function weightsOf({ weights }: Graph) {
  return weights.map(({ value, expr }) => ({ expr, shape: value.type.shape as readonly number[] }));
}

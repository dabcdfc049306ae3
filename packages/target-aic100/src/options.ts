import type { OptionTable } from "@llm/target";
import { MOST_DEVICES } from "./compile/settings.ts";
import { MOST_CANDIDATES } from "./graph/sampler-ports.ts";
import { CARDS, type CardId } from "./plan/cards.ts";

/** How linears' weights are kept on the card; fp32 is the emulator's alone, to compare with. */
export type Aic100Format = "fp16" | "mx6" | "fp32";

/** Which generation of graphs, flags and files an SDK takes; `auto` asks the installed one. */
export type SdkChoice = "auto" | "recipe" | "2024-05" | "1.21" | "1.22" | "today";

/** What a user can say of a model on Cloud AI 100. */
export interface Aic100Options {
  readonly format: Aic100Format;
  readonly mxfp6: boolean;
  readonly mxint8: boolean;
  readonly batchSize: number;
  readonly fullBatchSize: number;
  readonly promptLen: number;
  readonly ctxLen: number;
  readonly numSpeculativeTokens: number;
  readonly compCtxLengths: readonly number[];
  readonly onDeviceSampling: boolean;
  readonly maxTopKIds: number;
  readonly includeGuidedDecoding: boolean;
  readonly replicateKvHeads: number;
  /** Programs of our own that share each layer; for a plan also what devices do. */
  readonly mesh?: string;
  readonly subFunctions: boolean;
  readonly sdk: SdkChoice;
  readonly hwVersion: "ai100" | "ai200";
  /** As many as the card has unless said. */
  readonly numCores?: number;
  /** How many devices share the model: one number, by any of these names, or the length of the group. */
  readonly socs?: number;
  readonly numDevice?: number;
  readonly deviceGroup: readonly number[];
  readonly mos: number;
  readonly aicEnableDepthFirst: boolean;
  readonly name: string;
  readonly card?: CardId;
  readonly assume: string;
  readonly emulate: boolean;
  readonly threads: number;
  readonly writeIoDir: string;
  readonly device: readonly number[];
}

export const aic100Options: OptionTable<Aic100Options> = {
  format: {
    kind: "choice",
    doc: "How linears' weights are kept on the card: fp16, or mx6 (MXFP6). fp32 is for the emulator, to compare with.",
    default: "fp16",
    choices: ["fp16", "mx6", "fp32"],
    choiceAlias: { f16: "fp16", mxfp6: "mx6", mxfp6_e2m3: "mx6", f32: "fp32" },
    shapes: true,
  },
  mxfp6: { kind: "boolean", doc: "The same as --format mx6.", default: false, shapes: true, says: "format" },
  mxint8: {
    kind: "boolean",
    doc: "Keep keys and values in MXINT8: about half of fp16's memory.",
    default: false,
    shapes: true,
  },
  batchSize: {
    kind: "number",
    whole: true,
    doc: "Sequences that are decoded together; with --full-batch-size that says it.",
    default: 1,
    min: 1,
    shapes: true,
    mayDiffer: true,
  },
  fullBatchSize: {
    kind: "number",
    whole: true,
    doc: "Continuous batching: sequences that keep a cache; each is prefilled alone, all are decoded together. 0: off.",
    default: 0,
    min: 0,
    shapes: true,
  },
  promptLen: {
    kind: "number",
    whole: true,
    doc: "Tokens of a prompt that go through the card at once; longer prompts go in pieces.",
    default: 32,
    min: 1,
    shapes: true,
  },
  ctxLen: {
    kind: "number",
    whole: true,
    doc: "Places for tokens of a sequence. The last is where padding goes, so one token less fits.",
    default: 128,
    min: 2,
    shapes: true,
  },
  numSpeculativeTokens: {
    kind: "number",
    whole: true,
    doc: "Tokens of a draft that a decode call checks besides its own: --num-speculative-tokens 3. 0: none.",
    default: 0,
    min: 0,
    alias: ["speculate-len"],
    shapes: true,
  },
  compCtxLengths: {
    kind: "list",
    doc: "Also compile for shorter contexts, so that short sequences are faster: --comp-ctx-lengths 4096,8192.",
    default: [],
    shapes: true,
  },
  onDeviceSampling: {
    kind: "boolean",
    doc: "Choose tokens on the card, by penalties, temperature, top-k, top-p and min-p: tokens come back instead of logits.",
    default: false,
    alias: ["aic-include-sampler", "include-sampler"],
    shapes: true,
  },
  maxTopKIds: {
    kind: "number",
    whole: true,
    doc: "With --on-device-sampling: how many of the best tokens are chosen among: --max-top-k-ids 256.",
    default: MOST_CANDIDATES,
    min: 1,
    shapes: true,
  },
  includeGuidedDecoding: {
    kind: "boolean",
    doc: "With --on-device-sampling: also take a mask of the tokens that are allowed, for structured output.",
    default: false,
    shapes: true,
  },
  replicateKvHeads: {
    kind: "number",
    whole: true,
    doc: "Keep each key and value head this many times, so that several devices share attention evenly.",
    default: 1,
    min: 1,
    shapes: true,
  },
  mesh: {
    kind: "string",
    doc: "2x1: two copies of the model, on devices of their own, as one with the slots of both. 1x4: share each layer by programs of our own, with the host between them; they are exported and emulated, for cards --device-group has the compiler share layers. For `plan` also auto.",
    shapes: true,
    mayDiffer: true,
  },
  subFunctions: {
    kind: "boolean",
    doc: "Write each block as a function of the ONNX file: the compiler treats equal ones once.",
    default: false,
    shapes: true,
  },
  sdk: {
    kind: "choice",
    doc: "Whose graphs, flags and files: recipe (cache_index, qaic-exec), 2024-05, 1.21, 1.22, today (qaic-compile); auto asks the installed SDK, and is 1.22 where there is none.",
    default: "auto",
    choices: ["auto", "recipe", "2024-05", "1.21", "1.22", "today"],
    flag: "sdk-profile",
    alias: ["sdk"],
    shapes: true,
  },
  hwVersion: {
    kind: "choice",
    doc: "The generation of cards, for SDKs that compile for several.",
    default: "ai100",
    choices: ["ai100", "ai200"],
    shapes: true,
  },
  numCores: {
    kind: "number",
    whole: true,
    doc: "Cores of a device that the model takes: up to 14 on Standard, 16 on Pro and Ultra. As many as --card has, or 16, unless said.",
    min: 1,
    max: 16,
    shapes: true,
  },
  socs: {
    kind: "number",
    whole: true,
    doc: "How many devices share each layer. Unless said, those of --card: 4 for ultra, else 1.",
    min: 1,
    max: MOST_DEVICES,
    shapes: true,
    mayDiffer: true,
  },
  numDevice: {
    kind: "number",
    whole: true,
    doc: "The same as --socs.",
    min: 1,
    max: MOST_DEVICES,
    shapes: true,
    mayDiffer: true,
  },
  deviceGroup: {
    kind: "list",
    whole: true,
    min: 0,
    doc: "Devices to share each layer between, by number: --device-group 0,1,2,3. With something compiled, those that run it; --device-group 3 is the one.",
    default: [],
    shapes: true,
    mayDiffer: true,
  },
  mos: {
    kind: "number",
    whole: true,
    doc: "How far weights are divided between cores to need less memory on the chip; -1 leaves it to the compiler.",
    default: -1,
    min: -1,
    shapes: true,
  },
  aicEnableDepthFirst: { kind: "boolean", doc: "Compile for depth-first order.", default: false, shapes: true },
  name: {
    kind: "string",
    doc: "The model part of file names, such as starcoder; the model's own name unless said.",
    default: "",
    shapes: true,
  },
  card: {
    kind: "choice",
    doc: "What to plan and compile for: a Standard, Pro or Ultra card, or a DL2q instance of 8 Standard ones. A plan is for standard unless said.",
    choices: CARDS,
    shapes: true,
    mayDiffer: true,
  },
  assume: {
    kind: "string",
    doc: "Other values for what a plan goes by, which it lists by name: --assume reserve=1.5e9,bandwidthShare=0.5.",
    default: "",
    shapes: false,
  },
  emulate: {
    kind: "boolean",
    doc: "Run the exported graph on this machine as the card would, with its shapes and number formats: no card needed.",
    default: false,
    shapes: true,
  },
  threads: {
    kind: "number",
    whole: true,
    doc: "Threads of the emulator; 0: as many cores as this process may use.",
    default: 0,
    min: 0,
    shapes: false,
  },
  writeIoDir: {
    kind: "string",
    doc: "Write tensors of the first prompt's call and the first token's there, as the vendor's runner reads them: --write-io-dir io.",
    default: "",
    shapes: false,
  },
  device: {
    kind: "list",
    whole: true,
    min: 0,
    doc: "Which devices run it: --device 3. Unless said, those that it was compiled for, else 0.",
    default: [],
    alias: ["d", "device-id"],
    shapes: false,
  },
};

/** What a user has who says nothing. */
export function defaultOptions(): Aic100Options {
  const said = Object.entries(aic100Options).filter(([, def]) => def.default !== undefined);
  return Object.fromEntries(said.map(([key, def]) => [key, def.default])) as unknown as Aic100Options;
}

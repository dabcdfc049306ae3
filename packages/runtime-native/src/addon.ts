import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** What this version of the JavaScript expects of the binary; see `native/addon.cc`. */
const ABI = 9;

/** The binary's exports. */
export interface Addon {
  readonly abi: number;
  cpuFeatures(): string[];
  readonly bmrt: BmrtAddon;
  readonly codecs: CodecsAddon;
  readonly ort: OrtAddon;
}

/** Loops over numbers; `codecs/native-codecs.ts` gives them their names. Arrays that are too short are refused. */
export interface CodecsAddon {
  convert(from: number, to: number, source: NodeJS.TypedArray, into: NodeJS.TypedArray, count: number): number;
  clip(halves: Uint16Array): number;
  decode(type: number, packed: Uint8Array, values: Float32Array, blocks: number): void;
  encode(type: number, values: Float32Array, packed: Uint8Array, blocks: number): boolean;
  int8(values: Float32Array, rows: number, columns: number, group: number, ...parts: NodeJS.TypedArray[]): void;
  nBits(
    values: Float32Array,
    rows: number,
    columns: number,
    group: number,
    flags: number,
    ...parts: NodeJS.TypedArray[]
  ): void;
  mx(element: number, values: Float32Array, rows: number, columns: number, ...parts: NodeJS.TypedArray[]): void;
  linear(
    words: Uint32Array,
    scales: Float32Array,
    zeros: Float32Array,
    groupOf: Int32Array,
    places: Uint8Array,
    values: Float32Array,
    ...numbers: [outputs: number, inputs: number, wordColumns: number, skipped: number, bits: number, byInput: boolean]
  ): void;
  lanes(
    values: Float32Array,
    rows: number,
    columns: number,
    group: number,
    flags: number,
    ...parts: NodeJS.TypedArray[]
  ): void;
  words(
    values: Float32Array,
    rows: number,
    columns: number,
    group: number,
    flags: number,
    places: Uint8Array,
    ...parts: NodeJS.TypedArray[]
  ): void;
  levels(): string[];
  setLevel(name: string): void;
  setThreads(threads: number): void;
}

declare const session: unique symbol;
declare const tensor: unique symbol;

/** A loaded model, a typed array as the runtime sees it: only the binary knows what is in them. */
export type SessionHandle = { readonly [session]: true };
export type TensorHandle = { readonly [tensor]: true };

declare const devices: unique symbol;

/** Devices that were opened: only the binary knows what is in them. */
export type DevicesHandle = { readonly [devices]: true };

/** SOPHGO's runtime through its C functions. A device is meant by its place in the list that was opened. */
export interface BmrtAddon {
  /** Lets threads of this simulator of the chip rest while they wait for each other; before `open`. */
  restWhileWaiting(simulator: string): void;
  open(
    bmlib: string,
    bmrt: string,
    devices: readonly number[],
  ): Promise<{ readonly handle: DevicesHandle; readonly newer: boolean }>;
  load(handle: DevicesHandle, device: number, file: string): Promise<readonly AddonNet[]>;
  allocate(handle: DevicesHandle, device: number, bytes: number): Promise<number>;
  free(handle: DevicesHandle, device: number, buffer: number): Promise<void>;
  /** What the commands are is said in `bmrt/device.ts`. Gives what was read, in order. */
  run(handle: DevicesHandle, commands: readonly object[]): Promise<readonly Uint8Array[]>;
  close(handle: DevicesHandle): Promise<void>;
}

export interface AddonNet {
  readonly name: string;
  readonly dynamic: boolean;
  readonly addressMode: number; // -1 where the library doesn't say
  readonly inputs: readonly AddonNetPort[];
  readonly outputs: readonly AddonNetPort[];
  readonly stages: readonly AddonStage[];
}

export interface AddonNetPort {
  readonly name: string;
  readonly dtype: number;
  readonly device: number;
}

export interface AddonStage {
  readonly inputs: readonly AddonStagePort[];
  readonly outputs: readonly AddonStagePort[];
}

export interface AddonStagePort {
  readonly shape: readonly number[];
  readonly bytes: number;
  readonly buffer: number; // the memory it was compiled for, or -1
}

/** ONNX Runtime through its C functions. `library` is its shared library's file. */
export interface OrtAddon {
  version(library: string): string;
  best(search: AddonSearch): void;
  /** The kernels of ours that this processor can run, best first. */
  kernels(): string[];
  /** Models that are opened from now on use that one; for tests and comparisons. */
  chooseKernel(name: string): void;
  /** Whether threads that compute let others in: the system may forbid it. */
  inBackground(): boolean;
  open(library: string, file: string, options: AddonOptions): Promise<OpenedSession>;
  tensor(library: string, type: number, shape: readonly number[], data: NodeJS.ArrayBufferView): TensorHandle;
  /**
   * All inputs and all outputs in order; null asks for a new output, undefined for none. Gives the new ones. Searches are done
   * once everything is computed.
   */
  run(
    handle: SessionHandle,
    inputs: readonly TensorHandle[],
    outputs: readonly (TensorHandle | null | undefined)[],
    best: readonly AddonSearch[],
    tidy: boolean,
  ): Promise<readonly ({ readonly shape: number[]; readonly data: ArrayBuffer } | undefined)[]>;
  /** The same on the calling thread. */
  runHere(...call: Parameters<OrtAddon["run"]>): Awaited<ReturnType<OrtAddon["run"]>>;
  close(handle: SessionHandle): void;
}

/** The `k` best of each row of logits, and perhaps the logarithm of each row's sum, into arrays that are given. */
export type AddonSearch = readonly [
  logits: Float32Array,
  vocab: number,
  k: number,
  allow: Uint32Array | undefined,
  ids: Int32Array,
  values: Float32Array,
  sums: Float32Array | undefined,
];

export interface AddonOptions {
  readonly threads: number;
  readonly arena: boolean;
  /** Whether kernels of ours may take the place of the runtime's. */
  readonly kernels: boolean;
  /** The folder that keeps weights in the order of our kernels. */
  readonly panels?: string;
  /** Told how many bytes of how many of that are made. */
  readonly progress?: (done: number, total: number) => void;
  readonly config: readonly (readonly [string, string])[];
}

export interface OpenedSession {
  readonly handle: SessionHandle;
  /** Why `panels` can't be kept. */
  readonly unkept?: string;
  readonly inputs: readonly AddonPort[];
  readonly outputs: readonly AddonPort[];
}

export interface AddonPort {
  readonly name: string;
  readonly type: number;
  readonly shape: readonly (number | string)[];
}

/** Whether the addon is in use, and if not, why. Everything works without it, some of it slower. */
export type AddonStatus =
  | { readonly state: "loaded"; readonly file: string }
  | { readonly state: "not-built"; readonly reason: string }
  | { readonly state: "failed"; readonly reason: string; readonly file: string }
  | { readonly state: "off"; readonly reason: string };

export interface LoadOptions {
  /** The package's folder; only tests give another. */
  readonly root?: string;
  readonly platform?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface LoadedAddon {
  readonly addon: Addon | undefined;
  readonly status: AddonStatus;
}

/** Where a binary may be: one that was built here first, then the one that the published package brings. */
export function addonPlaces(root: string, platform: string): string[] {
  return [join(root, "build", "Release", "llm_native.node"), join(root, "prebuilds", platform, "llm_native.node")];
}

/** Finds and loads the binary; never throws. `LLM_ADDON=off` leaves it alone, `LLM_ADDON=FILE` takes that one. */
export function loadAddon(options: LoadOptions = {}): LoadedAddon {
  const env = options.env ?? process.env;
  if (env.LLM_ADDON === "off") return { addon: undefined, status: { state: "off", reason: "LLM_ADDON is off" } };
  const root = options.root ?? fileURLToPath(new URL("..", import.meta.url));
  const platform = options.platform ?? `${process.platform}-${process.arch}`;
  const places = env.LLM_ADDON ? [env.LLM_ADDON] : addonPlaces(root, platform);
  const file = places.find((place) => existsSync(place));
  if (file === undefined && env.LLM_ADDON) {
    const reason = `LLM_ADDON is ${env.LLM_ADDON}, and there is no such file`;
    return { addon: undefined, status: { state: "failed", reason, file: env.LLM_ADDON } };
  }
  if (file === undefined) {
    const build = existsSync(join(root, "scripts")) ? `; with a C++ compiler and cmake: npm run build in ${root}` : "";
    const reason = `there is no binary for ${platform}${build}`;
    return { addon: undefined, status: { state: "not-built", reason } };
  }
  try {
    const addon = createRequire(import.meta.url)(file) as Addon;
    if (addon.abi !== ABI) {
      const reason = `the binary is of another version (${addon.abi}, not ${ABI}); build or install it again`;
      return { addon: undefined, status: { state: "failed", reason, file } };
    }
    return { addon, status: { state: "loaded", file } };
  } catch (error) {
    const reason = String(error instanceof Error ? error.message : error).split("\n")[0]!;
    return { addon: undefined, status: { state: "failed", reason, file } };
  }
}

let loaded: LoadedAddon | undefined;

/** The addon, loaded on first use. */
export function addon(): Addon | undefined {
  return (loaded ??= loadAddon()).addon;
}

/**
 * Says whether the addon is loaded, and if not, why.
 *
 * @example
 * const status = addonStatus();
 * if (status.state !== "loaded") log(`running without the addon: ${status.reason}`);
 */
export function addonStatus(): AddonStatus {
  return (loaded ??= loadAddon()).status;
}

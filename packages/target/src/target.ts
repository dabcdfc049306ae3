import type { Attrs, Dialect, Graph, Pass, Program } from "@llm/core-ir";
import type { Tensor, WeightExpr, WeightSource } from "@llm/tensor";
import type { Artefact } from "./artefact.ts";
import type { DescribedDevice } from "./mesh/device.ts";
import type { OptionTable } from "./options.ts";
import type { Plan } from "./plan.ts";
import type { Runner } from "./runner.ts";
import type { Session } from "./session.ts";

/**
 * One device. A target is its capabilities as data, its arithmetic, its files, its compiler's command line and its
 * runtime; hashing, order, parallelism, resume, retries, progress and manifests are the unit engine's.
 */
export interface Target<O = unknown> {
  readonly specificationVersion: 1;
  readonly id: string;
  readonly title: string;
  /** Flags, environment twins, help and docs come from this one table. */
  readonly options: OptionTable<O>;
  readonly features: readonly Feature[];
  readonly dialects: readonly Dialect[];
  /** Passes of its own, beside core-ir's; `pipeline` names them. */
  readonly passes?: readonly Pass[];
  doctor(host: Host): Promise<readonly Finding[]>;
  /** Fetches what `doctor` misses and can be fetched: a vendor's compiler from a package registry. */
  install?(host: Host, report: (line: string) => void): Promise<void>;
  /** Compiles what a vendor's header is needed for that may not be passed on; `doctor` says when. */
  buildRuntime?(host: Host, report: (line: string) => void): Promise<void>;
  /**
   * Defaults that depend on what was said, such as those of a program that is stood in for, and on the model, where there is
   * one: a length that nobody asked for isn't longer than the model's. The table has the others.
   */
  defaults?(given: Partial<O>, model?: Graph): Partial<O>;
  /**
   * Settles what the user left open ("auto") for this model and machine; everything after it sees what was chosen. `source` is
   * the checkpoint, for how its weights are stored; where only a config was fetched, it has none.
   */
  choose?(model: Graph, options: O, source?: Pick<WeightSource, "get">): Choice<O>;
  /** What a model needs; `source` as for `choose`. */
  plan(model: Graph, options: O, source?: Pick<WeightSource, "get">): Plan;
  /**
   * What planning a mesh of such devices goes by; absent: nothing is known of how they would share a model. A target that has it
   * has an option `mesh` too, and plans the mesh that it says.
   */
  describe?(options: O, model: Graph): DescribedDevice;
  pipeline(model: Graph, options: O): readonly PassCall[];
  /** Versions of the programs that its units name in their needs, as they are on this machine. */
  tools?(): ToolVersions;
  units(program: Program, options: O): readonly Unit[];
  /** What `llm export` makes, where that is not on the way to what is compiled. */
  exports?(program: Program, options: O): readonly Unit[];
  /** Makes one unit, alone, in an empty folder. */
  build(unit: Unit, work: Work): Promise<void>;
  open(artefact: Artefact, options: O, readers?: Readers, tell?: (event: OpenEvent) => void): Promise<Session>;
  /** Files of the device's own kind that are opened and looked into without a manifest: people have them from elsewhere. */
  readonly files?: FileKind;
  /** Of an artefact that has to be finished elsewhere, because the vendor's compiler isn't here: one line on how. */
  unfinished?(artefact: Artefact): string | undefined;
  /** The logits after a history, where sessions compute something of their own and no model: checks are held to it. */
  answers?(history: readonly number[], vocab: number): Float32Array;
  /** One net at a time, for verify. */
  runner?(artefact: Artefact): Promise<Runner>;
}

/** Files that a session is asked to load and a target can't read: it knows no checkpoints. */
export interface Readers {
  adapter(path: string): Promise<LowRankAdapter>;
}

/** What opening takes its time for, in bytes, and what a user should know of it. */
export type OpenEvent =
  | { readonly kind: "progress"; readonly done: number; readonly total: number; readonly note: string }
  | { readonly kind: "note"; readonly text: string };

/** What an adapter adds to matrices of a model: to each `scale` · b · a. */
export interface LowRankAdapter {
  readonly path: string;
  readonly modules: readonly {
    /** The matrix's name without its ".weight"; a checkpoint may leave out its beginning, or have more before it. */
    readonly module: string;
    readonly a: Tensor; // (rank, in)
    readonly b: Tensor; // (out, rank)
    readonly scale: number;
  }[];
}

/** Options with nothing left open, and a line for the user on each choice and its alternative. */
export interface Choice<O> {
  readonly options: O;
  readonly notes: readonly string[];
}

/** A kind of file that a target knows by itself. */
export interface FileKind {
  /** How its name ends: ".bmodel". */
  readonly extension: string;
  /** Its first bytes, where files of other kinds end like it. */
  readonly magic?: readonly number[];
  /** The file as an artefact in its folder: its own contents say what a manifest would. */
  artefact(file: string): Promise<Artefact>;
  /** Absent where the toolchain knows the kind itself. */
  inspect?(file: string): Promise<FileInspection>;
  /** The file in a folder that holds a model in this form alone. */
  findIn?(folder: string): Promise<string | undefined>;
}

/** What a file holds: for programs, and in lines for people. */
export interface FileInspection {
  readonly kind: string;
  readonly details: { readonly [key: string]: Json };
  readonly lines: readonly (readonly [name: string, value: string])[];
}

export interface PassCall {
  readonly pass: string;
  readonly params?: Attrs;
}

export type ToolVersions = Readonly<Record<string, string>>;

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A piece of work that is JSON, so that a worker on another machine can do it. */
export interface Unit {
  readonly id: string;
  readonly kind: string; // with a version that changes when the bytes it makes do: "onnx@1"
  readonly stage: "export" | "compile";
  readonly spec: Json; // all that shapes the bytes, but for tools, weights and what `after` made
  readonly weights: readonly WeightExpr[];
  readonly after: readonly string[];
  readonly makes: readonly string[]; // file names, relative to its folder
  readonly needs: Needs;
  /**
   * Where its files go in the artefact: a folder relative to it, "" for the artefact itself, null for nowhere (a step on the
   * way). Absent: a folder named for the unit. No part of its key.
   */
  readonly place?: string | null;
}

export interface Needs {
  readonly ramBytes: number;
  readonly diskBytes: number;
  readonly cores: number;
  /** Programs that shape its bytes, by the names that the target says their versions under. */
  readonly tools: readonly string[];
}

/** What a unit is given to work with. */
export interface Work {
  readonly folder: string; // empty, on the artefact's file system
  readonly source: WeightSource;
  /** The folder of a finished unit named in `after`. */
  input(unit: string): string;
  readonly signal: AbortSignal;
  progress(done: number, total: number, note?: string): void;
  /**
   * Files of the folder that are links to the checkpoint's own (or copies, where links can't be): known by header, size,
   * mtime and inode instead of content.
   */
  linked(file: string, origin: string): void;
  /**
   * The peak memory of a child process that did the work, and the most that the folder held at once; this process's own
   * memory, and what the folder holds in the end, are measured anyway.
   */
  measured(peakRssBytes: number, peakDiskBytes?: number): void;
}

/** What a target may ask of the machine; injected, so that tests need none. */
export interface Host {
  readonly platform: string;
  readonly arch: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** One line of `llm doctor`. */
export interface Finding {
  readonly name: string;
  readonly state: "ok" | "warning" | "missing";
  readonly detail: string;
  readonly fix?: string; // what to do about it
}

/** A row of FEATURES.md. `shown` says what it was shown on; nothing is claimed beyond it. */
export interface Feature {
  readonly name: string;
  readonly state: "yes" | "partly" | "no";
  readonly shown: "hardware" | "simulator" | "emulator" | "tests" | "-";
  readonly note?: string;
}

import type { BestSearch } from "./best.ts";
import type { OrtDType, OrtTensor } from "./tensor.ts";

/** How a model is loaded. What is not said is what measured best for language models on a CPU. */
export interface OrtOptions {
  /** Threads that one operator may use; the machine's cores unless said. */
  readonly threads?: number;
  /**
   * Lets kernels keep weights in a layout of their own. Off, because float weights then stay mapped from their file: a load
   * takes milliseconds and the memory is the page cache's. 4- and 8-bit weights need it on.
   */
  readonly prepack?: boolean;
  /** Keeps freed memory for the next step. Off, because steps are as fast without. */
  readonly arena?: boolean;
  /**
   * Lets the addon's own kernels multiply by packed weights where the processor has what they need: faster than the runtime's,
   * ready without `prepack`. On unless said; the other backend has none.
   */
  readonly kernels?: boolean;
  /**
   * A folder of this model's own in which the addon keeps packed weights in the order of its kernels: made by the first load, and
   * mapped from then on. What is damaged is made again; where it can't be made, weights are put in order in memory.
   */
  readonly panels?: string;
  /** Told of `panels`; the first load of a large model takes seconds for them. */
  readonly onPanels?: (event: PanelsEvent) => void;
  /** Threads wait for work by spinning: some percent faster alone on the machine, a burden to everything else. */
  readonly spin?: boolean;
  /**
   * What runs the model. Unless said, our addon where it is built, else the binding that ONNX Runtime publishes, which blocks
   * the event loop while it runs and copies what it gives.
   */
  readonly backend?: "addon" | "onnxruntime-node";
  /** Further settings by ONNX Runtime's own keys, such as "session.qdq_matmulnbits_accuracy_level". */
  readonly config?: Readonly<Record<string, string>>;
}

/** How far making a file of weights in order is, in bytes; or why there is none, so that every load puts them in order again. */
export type PanelsEvent =
  | { readonly kind: "progress"; readonly done: number; readonly total: number }
  | { readonly kind: "unkept"; readonly reason: string };

/** The settings that go to ONNX Runtime by its own keys. */
export function configOf(options: OrtOptions): Record<string, string> {
  return {
    "session.disable_prepacking": options.prepack ? "0" : "1",
    "session.intra_op.allow_spinning": options.spin === false ? "0" : "1",
    ...options.config,
  };
}

/** An input or output as the model declares it: a name instead of a size where it is known only at run time. */
export interface OrtPort {
  readonly name: string;
  readonly dtype: OrtDType;
  readonly shape: readonly (number | string)[];
}

export type OrtTensors = Readonly<Record<string, OrtTensor>>;

/**
 * What is wanted of a run: a tensor is written where it is, null asks for a new one. An output may lie over an input where
 * the operator works in place, as attention on a cache does.
 */
export type OrtWanted = Readonly<Record<string, OrtTensor | null>>;

export interface OrtRunOptions {
  /** Searches in what the run writes, done before it is over, on its own thread. */
  readonly best?: readonly BestSearch[];
  /**
   * Gives memory that was freed meanwhile back to the system afterwards: some milliseconds, on the run's own thread. For runs
   * whose results in between are far larger than those of most.
   */
  readonly tidy?: boolean;
  /** Runs on the calling thread, which a worker of one model has to spare: that saves two threads waking each other. */
  readonly here?: boolean;
}

/** A loaded model. */
export interface OrtSession {
  /** What runs it: our addon, or the binding that ONNX Runtime publishes. */
  readonly backend: "addon" | "onnxruntime-node";
  /** ONNX Runtime's version. */
  readonly version: string;
  readonly inputs: readonly OrtPort[];
  readonly outputs: readonly OrtPort[];
  /** One call at a time where calls share tensors. */
  run(inputs: OrtTensors, wanted: OrtWanted, options?: OrtRunOptions): Promise<OrtTensors>;
  close(): Promise<void>;
}

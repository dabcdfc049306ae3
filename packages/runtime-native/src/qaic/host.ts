/** A program on its devices, behind the vendor's library, which has a process of its own. */
export interface QaicHost {
  /** Inputs and outputs, in the order that calls give them. */
  readonly mappings: readonly QaicMapping[];
  /**
   * One execution, with a buffer for every mapping in their order. Which of the compiled shapes runs follows from the
   * dimensions. Gives the outputs that were asked for, in order.
   */
  call(buffers: readonly QaicBuffer[]): Promise<readonly Uint8Array[]>;
  /** Gives the devices back. Closing twice is fine. */
  close(): Promise<void>;
}

export interface QaicMapping {
  readonly name: string;
  readonly isInput: boolean;
  /** Of the largest of the compiled shapes. */
  readonly bytes: number;
  /** The runtime's number of the element type. */
  readonly dtype: number;
  /** The device may keep it: it need not be given. */
  readonly isPartialAllowed: boolean;
}

/** A buffer of a call: given, asked for, or left to the device. */
export type QaicBuffer =
  | { readonly dims: readonly number[]; readonly elementBytes: number; readonly data: Uint8Array }
  | { readonly dims: readonly number[]; readonly elementBytes: number; readonly data: "wanted" }
  | "kept";

export interface QaicOptions {
  /** The program that `buildQaicHost` made. */
  readonly program: string;
  /** programqpc.bin. */
  readonly qpc: string;
  /** Cards' SoCs by number; a model that is shared runs on all of them. */
  readonly devices: readonly number[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What the library prints, line by line. */
  onOutput?(line: string): void;
}

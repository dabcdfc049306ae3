import type { OrtTensor } from "@llm/runtime-native/ort";

/** Tokens of a prompt, or those after it. */
export type CallOf = "prefill" | "decode";

/**
 * What a session drives: a compiled model on a card, or the emulator of one. Its caches stay where they are from call to
 * call; which compiled shape a call is for follows from its inputs' sizes.
 */
export interface Card {
  readonly vocab: number;
  /** Names of the inputs that are given with every call: all but retained ones. */
  readonly inputs: readonly string[];
  /** What calls give: logits, or tokens that it chose by them. */
  readonly output: "logits" | "next_tokens";
  /**
   * Logits (rows, kept, vocab) or tokens (rows, kept); a view that lives until the next call. What a call is of is nothing to a
   * card: it is for who writes calls down.
   */
  call(inputs: Readonly<Record<string, OrtTensor>>, of: CallOf): Promise<Float32Array | Int32Array>;
  /** What a retained input holds before the next call, in place of what the device kept. */
  give(name: string, data: Uint8Array): void;
  close(): Promise<void>;
}

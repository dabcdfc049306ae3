import type { Attrs, Op, Value } from "@llm/core-ir";
import { decoderEmitters } from "./emit-decoder.ts";
import { primitiveEmitters } from "./emit-primitive.ts";
import type { Ref, TopWriter } from "./top-writer.ts";

/** Says one op in TOP. */
export interface Emitter {
  /** Whether this very op can be said; all of its kind unless given. Others are said in smaller ones. */
  when?(op: Op): boolean;
  emit(op: EmittedOp, top: TopWriter): readonly Ref[];
}

export interface EmittedOp extends Op {
  readonly ins: readonly (Value | null)[];
  readonly attrs: Attrs;
  /** What the result is called in the text. */
  readonly loc: string;
  /** Of the first result. */
  readonly shape: readonly number[];
}

export const emitters: Readonly<Record<string, Emitter>> = { ...decoderEmitters, ...primitiveEmitters };

export function canSay(op: Op): boolean {
  const emitter = Object.hasOwn(emitters, op.kind) ? emitters[op.kind] : undefined;
  return emitter !== undefined && (emitter.when?.(op) ?? true);
}

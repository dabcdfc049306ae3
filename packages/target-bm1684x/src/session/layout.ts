import type { BmrtDType } from "@llm/runtime-native/bmrt";
import { TargetError } from "@llm/target";
import type { PortRole } from "../nets/net-ports.ts";

/** What an input or output is for; in old bmodels a block's keys and values are one tensor. */
export type Role = PortRole | { readonly role: "entries"; readonly layer: number };

/** One input or output of a net at one of its stages. */
export interface NetPort {
  readonly role: Role;
  readonly dtype: BmrtDType;
  readonly shape: readonly number[];
  readonly bytes: number;
  /** The memory that the net was compiled to use, where that is nobody else's. */
  readonly own?: number;
}

/** A net at one of its stages, as the runtime finds it. */
export interface NetCall {
  readonly name: string;
  readonly device: number;
  readonly net: number;
  readonly stage: number;
  readonly inputs: readonly NetPort[];
  readonly outputs: readonly NetPort[];
}

/** A block or a device's part of one: for one token with a history, and for a whole prompt. */
export interface Layer {
  readonly token: NetCall;
  readonly prompt: NetCall | undefined;
}

/** A model as nets on devices. */
export interface Layout {
  /** Places of a history. */
  readonly context: number;
  /** Tokens of the prompt's nets; 0 where there are none. */
  readonly prompt: number;
  readonly width: number;
  readonly vocab: number;
  /** Embedding, then blocks or their parts, one after the other; those of one step side by side on their devices. */
  readonly steps: readonly (readonly Layer[])[];
  /** Those of them that remember something. */
  readonly layers: readonly Layer[];
  /** What gives logits: one net, or one for each part of the vocabulary, in order. */
  readonly heads: readonly NetCall[];
  /** Where all logits are: the one head, or on the first one's device what the parts are put together in. */
  readonly head: NetCall;
  /** Chooses the best token where the logits are; absent where the head does or nobody. */
  readonly greedy: NetCall | undefined;
  /** Finds the best tokens and their shares where the logits are; absent where nobody does. */
  readonly sample: NetCall | undefined;
}

export function portIs(role: Role["role"]): (port: NetPort) => boolean {
  return (port) => port.role.role === role;
}

/** Which hidden state it is, or is a term of. */
export function valueName({ role }: NetPort): string {
  if ((role.role === "hidden" || role.role === "term") && role.value !== undefined) return role.value;
  throw new TargetError("artefact-invalid", "a hidden state has no name; compile again");
}

export function elements({ shape }: NetPort): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Roles of what a block remembers. */
const REMEMBERED: readonly Role["role"][] = ["key", "value", "entries"];

export function isCache({ role }: NetPort): boolean {
  return REMEMBERED.includes(role.role);
}

/** Inputs of a token's net that hold its history, in their order. */
export function cachePorts({ token }: Layer): readonly NetPort[] {
  return token.inputs.filter(isCache);
}

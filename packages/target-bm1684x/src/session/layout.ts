import type { BmrtDType } from "@llm/runtime-native/bmrt";
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

/** A block: for one token with a history, and for a whole prompt. */
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
  readonly embedding: Layer;
  readonly layers: readonly Layer[];
  readonly head: NetCall;
  /** Chooses the best token where the logits are; absent where the head does or nobody. */
  readonly greedy: NetCall | undefined;
}

export function portIs(role: Role["role"]): (port: NetPort) => boolean {
  return (port) => port.role.role === role;
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

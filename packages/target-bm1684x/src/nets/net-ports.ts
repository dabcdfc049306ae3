import type { Graph, Value } from "@llm/core-ir";

type PlainRole = "ids" | "positions" | "hidden" | "logits" | "token" | "temperature" | "probabilities" | "candidates";

/** What an input or output of a net is for; a session goes by this, never by names. */
export type PortRole =
  | { readonly role: PlainRole }
  | { readonly role: "mask"; readonly window?: number }
  | { readonly role: "key" | "value"; readonly layer: number };

export interface Port {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: "f32" | "f16" | "i32";
  readonly meaning: PortRole;
}

/** A net's inputs and outputs, in order: by their numbers they are addressed. */
export interface Ports {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
}

/** The ports of a net that was made by `bm1684x-nets`: states come after inputs, what becomes of them after outputs. */
export function portsOf(graph: Graph): Ports {
  const states = graph.states.map(({ value, next, role }) => ({ value, next, meaning: stateRole(role) }));
  return {
    inputs: [
      ...graph.inputs.map((value) => port(value, inputRole(value.id), INPUT_NAMES)),
      ...states.map(({ value, meaning }) => port(value, meaning, HISTORY_NAMES)),
    ],
    outputs: [
      ...graph.outputs.map((value) => port(value, outputRole(value.id), OUTPUT_NAMES)),
      ...states.map(({ next, meaning }) => port(next, meaning, OUTPUT_NAMES)),
    ],
  };
}

function port(value: Value, meaning: PortRole, names: Names): Port {
  const { dtype, shape } = value.type;
  const window = meaning.role === "mask" && meaning.window !== undefined ? `_window_${meaning.window}` : "";
  return {
    name: `${names[meaning.role] ?? meaning.role}${window}`,
    shape: shape as readonly number[],
    dtype: dtype === "i32" ? "i32" : "f32",
    meaning,
  };
}

type Names = Partial<Record<PortRole["role"], string>>;
const INPUT_NAMES: Names = {
  ids: "input_ids",
  positions: "position_ids",
  hidden: "input_states",
  mask: "attention_mask",
};
const HISTORY_NAMES: Names = { key: "history_k", value: "history_v" };
const OUTPUT_NAMES: Names = { hidden: "output_states", key: "k_cache", value: "v_cache" };

function inputRole(id: string): PortRole {
  if (id === "ids" || id === "positions" || id === "logits" || id === "temperature") return { role: id };
  if (id === "mask") return { role: "mask" };
  const window = /^mask\.window_(\d+)$/.exec(id)?.[1];
  return window === undefined ? { role: "hidden" } : { role: "mask", window: Number(window) };
}

/** A prompt's net gives keys and values as plain outputs, under the names that the history form has for them. */
function outputRole(id: string): PortRole {
  const cache = /^cache\.(\d+)\.(keys|values)$/.exec(id);
  if (cache) return { role: cache[2] === "keys" ? "key" : "value", layer: Number(cache[1]) };
  const isNamed = id === "logits" || id === "token" || id === "probabilities" || id === "candidates";
  return isNamed ? { role: id } : { role: "hidden" };
}

function stateRole(role: Graph["states"][number]["role"]): PortRole {
  if (role.kind === "key" || role.kind === "value") return { role: role.kind, layer: role.layer };
  throw new TypeError(`a state of kind ${role.kind} has no place in a net of BM1684X`);
}

import type { Graph, Net, Value } from "@llm/core-ir";

type PlainRole = "ids" | "positions" | "token" | "temperature" | "probabilities" | "candidates";

/** What an input or output of a net is for; a session goes by this, never by names. */
export type PortRole =
  | { readonly role: PlainRole }
  /** `value` says which, where nets hand on more than one to the next. */
  | { readonly role: "hidden"; readonly value?: string }
  /** What one of several chips has of a value: their sum is what nets then take. */
  | { readonly role: "term"; readonly value: string }
  /** `from` is where in the vocabulary those of one of several heads begin. */
  | { readonly role: "logits"; readonly from?: number }
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

/** How a chip's term of a value is called. */
export const TERM = ".term";

/**
 * The ports of a net that was made by `bm1684x-nets`: states come after inputs, what becomes of them after outputs. Where several
 * chips share each layer, nets have ranks, and hidden states names.
 */
export function portsOf({ rank, graph }: Net): Ports {
  const states = graph.states.map(({ value, next, role }) => ({ value, next, meaning: stateRole(role) }));
  const named = (id: string, meaning: PortRole): PortRole => {
    if (rank === undefined || meaning.role !== "hidden") return meaning;
    return id.endsWith(TERM) ? { role: "term", value: id.slice(0, -TERM.length) } : { role: "hidden", value: id };
  };
  return {
    inputs: apart([
      ...graph.inputs.map((value) => port(value, named(value.id, inputRole(value.id)), INPUT_NAMES)),
      ...states.map(({ value, meaning }) => port(value, meaning, HISTORY_NAMES)),
    ]),
    outputs: apart([
      ...graph.outputs.map((value) => port(value, named(value.id, outputRole(value.id)), OUTPUT_NAMES)),
      ...states.map(({ next, meaning }) => port(next, meaning, OUTPUT_NAMES)),
    ]),
  };
}

/** The second of a name and those after it with a number. */
function apart(ports: readonly Port[]): readonly Port[] {
  const seen = new Map<string, number>();
  return ports.map((port) => {
    const before = seen.get(port.name) ?? 0;
    seen.set(port.name, before + 1);
    return before === 0 ? port : { ...port, name: `${port.name}_${before}` };
  });
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
const OUTPUT_NAMES: Names = { hidden: "output_states", term: "partial_states", key: "k_cache", value: "v_cache" };

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
  const from = /^logits\.from_(\d+)$/.exec(id)?.[1];
  if (from !== undefined) return { role: "logits", from: Number(from) };
  const isNamed = id === "logits" || id === "token" || id === "probabilities" || id === "candidates";
  return isNamed ? { role: id } : { role: "hidden" };
}

function stateRole(role: Graph["states"][number]["role"]): PortRole {
  if (role.kind === "key" || role.kind === "value") return { role: role.kind, layer: role.layer };
  throw new TypeError(`a state of kind ${role.kind} has no place in a net of BM1684X`);
}

import type { BmrtNet } from "@llm/runtime-native/bmrt";
import { TargetError } from "@llm/target";
import type { NetEntry, NetsFile } from "../compile/nets-file.ts";
import type { Role } from "./layout.ts";

/** What the inputs and outputs of a net are for. */
export interface NetRoles {
  readonly inputs: readonly Role[];
  readonly outputs: readonly Role[];
}

/** How a net's roles are found: in the list beside the bmodel, or by what the vendor's own scripts call and shape them. */
export type RolesOf = (net: BmrtNet, device: number) => NetRoles | undefined;

/** By the list. Nets that it doesn't know are nobody's business. */
export function listedRoles(list: NetsFile): RolesOf {
  return ({ name }, device) => {
    const entry = list.nets.find((net: NetEntry) => net.name === name && (net.device ?? 0) === device);
    return entry && { inputs: entry.inputs.map(meaning), outputs: entry.outputs.map(meaning) };
  };
}

function meaning(port: NetEntry["inputs"][number]): Role {
  return port.meaning;
}

const BLOCK = /^block_(?:cache_)?(\d+)$/;

/** By names of nets and by types and shapes of their inputs and outputs, whatever those are called. */
export function recognisedRoles(net: BmrtNet): NetRoles | undefined {
  const block = BLOCK.exec(net.name)?.[1];
  if (block !== undefined) return blockRoles(net, Number(block));
  switch (net.name) {
    case "embedding":
    case "embedding_cache":
      return { inputs: [{ role: "ids" }, ...net.inputs.slice(1).map(() => POSITIONS)], outputs: [HIDDEN] };
    case "lm_head":
      return { inputs: [HIDDEN], outputs: net.outputs.map((_, i) => headRole(net, i)) };
    case "greedy_head":
      return { inputs: [{ role: "logits" }], outputs: net.outputs.map((_, i) => headRole(net, i)) };
    case "sample_head":
      return sampleRoles(net);
    default:
      return undefined;
  }
}

const HIDDEN: Role = { role: "hidden" };
const POSITIONS: Role = { role: "positions" };
const INTEGERS: readonly string[] = ["i32", "u32"];

/** Hidden states come first; of the rest, positions are whole numbers and the mask is [1, 1, tokens, places]. */
function blockRoles(net: BmrtNet, layer: number): NetRoles {
  const shapes = net.stages[0]!.inputs.map(({ shape }) => shape);
  const inputs: (Role | undefined)[] = net.inputs.map(({ name, dtype }, i) => {
    if (i === 0) return HIDDEN;
    if (INTEGERS.includes(dtype)) return POSITIONS;
    return isMask(name, shapes[i]!, shapes[0]!) ? { role: "mask" } : undefined;
  });
  const remembered = inputs.filter((role) => role === undefined).length;
  const given = net.outputs.length - 1;
  if (remembered > 2 || given < 1 || given > 2 || (remembered > 0 && remembered !== given))
    throw unrecognised(net, `a block with ${remembered} histories that gives ${given}`);
  let history = 0;
  return {
    inputs: inputs.map((role) => role ?? cacheRole(given, history++, layer)),
    outputs: net.outputs.map((_, i) => (i === 0 ? HIDDEN : cacheRole(given, i - 1, layer))),
  };
}

function isMask(name: string, shape: readonly number[], hidden: readonly number[]): boolean {
  if (/mask/i.test(name)) return true;
  return (
    shape.length === 4 &&
    shape[0] === 1 &&
    shape[1] === 1 &&
    shape[2] === hidden.at(-2) &&
    !/past|history|cache/i.test(name)
  );
}

/** Keys come before values; where there is one tensor, it is both. */
function cacheRole(parts: number, i: number, layer: number): Role {
  return { role: parts === 1 ? "entries" : i === 0 ? "key" : "value", layer };
}

/** A head gives a token where it ends in the choice of one, as a whole number; else what tokens are chosen by. */
function headRole(net: BmrtNet, output: number): Role {
  const elements = net.stages[0]!.outputs[output]!.shape.reduce((product, size) => product * size, 1);
  if (INTEGERS.includes(net.outputs[output]!.dtype) && elements === 1) return { role: "token" };
  if (elements > 1 && net.outputs.length === 1) return { role: "logits" };
  return { role: "candidates" };
}

/** Of logits and a temperature, the best tokens and their shares; the vendor's own, which takes more and draws itself, is left alone. */
function sampleRoles({ inputs, outputs }: BmrtNet): NetRoles | undefined {
  if (inputs.length !== 2 || outputs.length !== 2 || !/temperature/i.test(inputs[1]!.name)) return undefined;
  return {
    inputs: [{ role: "logits" }, { role: "temperature" }],
    outputs: outputs.map(({ dtype }) => ({ role: INTEGERS.includes(dtype) ? "candidates" : "probabilities" })),
  };
}

export function unrecognised(net: Pick<BmrtNet, "name">, what: string): TargetError {
  return new TargetError(
    "unsupported",
    `${net.name} is ${what}, which is no layout known here (embedding, block_i, block_cache_i, lm_head)`,
  );
}

import { TargetError } from "@llm/target";
import { HiddenMemory, type Scratch } from "./hidden-memory.ts";
import { type Layer, type NetCall, type NetPort, portIs, valueName } from "./layout.ts";

/** What is done for one step of a model, but for its inputs and caches: where hidden states are, and what goes between devices. */
export type StreamItem =
  | {
      readonly do: "launch";
      readonly layer: Layer;
      readonly call: NetCall;
      readonly hidden: ReadonlyMap<NetPort, Scratch>;
    }
  | { readonly do: "copy"; readonly from: Scratch; readonly to: Scratch; readonly bytes: number }
  | { readonly do: "sum"; readonly port: NetPort; readonly terms: readonly Scratch[]; readonly to: readonly Scratch[] };

/** A stage of a model in order, and where it leaves what heads go on with. */
export interface Stream {
  readonly items: readonly StreamItem[];
  /** By input of a head: on its device, or else on one that has it. */
  readonly left: ReadonlyMap<NetPort, Scratch>;
  /** All memory that it uses. */
  readonly uses: readonly (Scratch & { readonly bytes: number })[];
}

type Steps = readonly (readonly Layer[])[];
type StageOf = (layer: Layer) => NetCall;

/**
 * Plans a stage: `steps` one after the other, calls of one step side by side on their devices. What a device wants and hasn't is
 * copied from one that has it; of what several have terms, all that go on with it are given the sum.
 */
export function streamOf(steps: Steps, stage: StageOf, heads: readonly NetCall[]): Stream {
  const wishes = wishesOf(steps, stage, heads);
  const made = lastTerms(steps, stage);
  const memory = new HiddenMemory();
  const items: StreamItem[] = [];
  const terms = new Map<string, { readonly port: NetPort; readonly at: Scratch[] }>();
  steps.forEach((layers, step) => {
    for (const layer of layers) items.push(...brought(stage(layer), memory));
    for (const layer of layers) {
      const call = stage(layer);
      const hidden = new Map<NetPort, Scratch>();
      for (const port of call.inputs.filter(portIs("hidden")))
        hidden.set(port, memory.find(valueName(port), call.device)!);
      for (const port of call.outputs.filter(portIs("hidden")))
        hidden.set(port, memory.take(valueName(port), call.device, port.bytes));
      for (const port of call.outputs.filter(portIs("term"))) {
        const at = memory.take(termOf(valueName(port)), call.device, port.bytes);
        hidden.set(port, at);
        const known = terms.get(valueName(port));
        if (known) known.at.push(at);
        else terms.set(valueName(port), { port, at: [at] });
      }
      items.push({ do: "launch", layer, call, hidden });
    }
    for (const [value, { port, at }] of terms) {
      if (made.get(value) !== step) continue;
      const to = [...(wishes.get(value)?.devices ?? [])].map((device) => memory.take(value, device, port.bytes));
      items.push({ do: "sum", port, terms: at, to });
      memory.release(termOf(value));
    }
    for (const value of memory.values())
      if (!isTerm(value) && (wishes.get(value)?.last ?? -1) <= step) memory.release(value);
  });
  const inputs = heads.flatMap(({ device, inputs }) =>
    inputs.filter(portIs("hidden")).map((port) => [port, given(valueName(port), device, memory, "a head")] as const),
  );
  return { items, left: new Map(inputs), uses: memory.uses() };
}

/** What a net takes and its device hasn't. */
function brought({ name, device, inputs }: NetCall, memory: HiddenMemory): readonly StreamItem[] {
  return inputs.filter(portIs("hidden")).flatMap((port): StreamItem[] => {
    const value = valueName(port);
    const from = given(value, device, memory, name);
    return from.device === device
      ? []
      : [{ do: "copy", from, to: memory.take(value, device, port.bytes), bytes: port.bytes }];
  });
}

function given(value: string, device: number, memory: HiddenMemory, taker: string): Scratch {
  const found = memory.find(value, device) ?? memory.find(value);
  if (!found) throw new TargetError("artefact-invalid", `${taker} takes ${value}, which no net before it gives`);
  return found;
}

/** The devices that want a value, and the last step in which one does; heads come after all steps. */
function wishesOf(steps: Steps, stage: StageOf, heads: readonly NetCall[]) {
  const wishes = new Map<string, { readonly devices: Set<number>; last: number }>();
  const note = ({ device, inputs }: NetCall, step: number) => {
    for (const value of inputs.filter(portIs("hidden")).map(valueName)) {
      const known = wishes.get(value) ?? { devices: new Set(), last: step };
      wishes.set(value, known);
      known.devices.add(device);
      known.last = step;
    }
  };
  steps.forEach((layers, step) => {
    for (const layer of layers) note(stage(layer), step);
  });
  for (const head of heads) note(head, steps.length);
  return wishes;
}

/** The step after which all terms of a value are there. */
function lastTerms(steps: Steps, stage: StageOf): ReadonlyMap<string, number> {
  const last = new Map<string, number>();
  steps.forEach((layers, step) => {
    for (const layer of layers)
      for (const port of stage(layer).outputs.filter(portIs("term"))) last.set(valueName(port), step);
  });
  return last;
}

const TERM = "term of ";

/** A term is nobody's but the sum's. */
function termOf(value: string): string {
  return `${TERM}${value}`;
}

function isTerm(value: string): boolean {
  return value.startsWith(TERM);
}

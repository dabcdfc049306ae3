import { combine } from "@llm/core-ir";
import {
  findBest,
  type OrtPort,
  type OrtRunOptions,
  type OrtSession,
  type OrtTensor,
  type OrtTensors,
  type OrtWanted,
} from "@llm/runtime-native/ort";
import { NEXT } from "../session/states.ts";
import type { Exchange } from "./exchange.ts";
import type { MeshSchedule, Port, Talk } from "./schedule.ts";

interface LoadedNet {
  readonly id: string;
  readonly model: OrtSession;
}

type Step =
  | { readonly do: "run"; readonly net: LoadedNet }
  | { readonly do: "talk"; readonly talk: number }
  | { readonly do: "send"; readonly from: string; readonly stages: readonly number[] }
  | { readonly do: "receive"; readonly from: string; readonly stage: number };

/**
 * The nets of one worker, or of all of them, as one model: it takes and gives what an uncut model would, so that a session
 * doesn't know. States have their net's name in front.
 */
export class NetsModel implements OrtSession {
  readonly inputs: readonly OrtPort[];
  readonly outputs: readonly OrtPort[];
  readonly #schedule: MeshSchedule;
  readonly #nets: readonly LoadedNet[];
  readonly #exchange: Exchange | undefined;
  readonly #steps: readonly Step[];
  /** What an input of a net is: "net.output" of a hand, "talk n", or nothing where it comes from outside. */
  readonly #sources: ReadonlyMap<string, string>;
  readonly #wanted: ReadonlyMap<string, ReadonlySet<string>>;

  /** `vocab` makes a stage without a head look as if it gave logits: nobody listens to those. */
  constructor(nets: readonly LoadedNet[], schedule: MeshSchedule, exchange?: Exchange, vocab = 0) {
    this.#nets = nets;
    this.#schedule = schedule;
    this.#exchange = exchange;
    this.#sources = sourcesOf(schedule);
    this.#wanted = wantedOutputs(schedule);
    this.#steps = stepsOf(nets, schedule, exchange?.stage);
    const inputs = new Map<string, OrtPort>();
    const outputs = new Map<string, OrtPort>();
    for (const { id, model } of nets) {
      for (const port of model.inputs) {
        if (this.#sources.has(key(id, port.name))) continue;
        const name = isState(model, port.name) ? stateName(id, port.name) : port.name;
        inputs.set(name, { ...port, name });
      }
      for (const port of model.outputs) {
        const state = port.name.startsWith(NEXT) ? port.name.slice(NEXT.length) : undefined;
        if (state !== undefined)
          outputs.set(NEXT + stateName(id, state), { ...port, name: NEXT + stateName(id, state) });
        else if (!outputs.has(port.name) && isFinal(schedule, id, port.name)) outputs.set(port.name, port);
      }
    }
    if (vocab > 0 && !outputs.has("logits"))
      outputs.set("logits", { name: "logits", dtype: "f32", shape: ["outputs", vocab] });
    this.inputs = [...inputs.values()];
    this.outputs = [...outputs.values()];
  }

  get backend(): OrtSession["backend"] {
    return this.#nets[0]!.model.backend;
  }

  get version(): string {
    return this.#nets[0]!.model.version;
  }

  async run(
    inputs: OrtTensors,
    wanted: OrtWanted,
    { best = [], tidy = false }: OrtRunOptions = {},
  ): Promise<OrtTensors> {
    const made = new Map<string, OrtTensor>();
    const results: Record<string, OrtTensor> = {};
    const last = this.#steps.findLast((step) => step.do === "run");
    for (const step of this.#steps)
      if (step.do === "run") await this.#run(step.net, inputs, wanted, made, results, tidy && step === last);
      else if (step.do === "talk") this.#talk(step.talk, made);
      else if (step.do === "send") for (const stage of step.stages) this.#exchange!.send(stage, made.get(step.from)!);
      else made.set(step.from, this.#exchange!.receive(step.stage));
    for (const search of best) findBest(search);
    return results;
  }

  async close(): Promise<void> {
    for (const { model } of this.#nets) await model.close();
  }

  async #run(
    { id, model }: LoadedNet,
    inputs: OrtTensors,
    wanted: OrtWanted,
    made: Map<string, OrtTensor>,
    results: Record<string, OrtTensor>,
    tidy: boolean,
  ): Promise<void> {
    const given: Record<string, OrtTensor> = {};
    for (const { name } of model.inputs) {
      const source = this.#sources.get(key(id, name));
      const outside = isState(model, name) ? stateName(id, name) : name;
      given[name] = (source === undefined ? inputs[outside] : made.get(source))!;
    }
    const asked: Record<string, OrtTensor | null> = {};
    for (const { name } of model.outputs) {
      const state = name.startsWith(NEXT) ? NEXT + stateName(id, name.slice(NEXT.length)) : undefined;
      const tensor = state === undefined && results[name] ? undefined : wanted[state ?? name];
      if (this.#wanted.get(id)?.has(name)) asked[name] = null;
      else if (tensor !== undefined) asked[name] = tensor;
    }
    if (Object.keys(asked).length === 0) return; // another rank has said it
    // A worker has nothing else to do meanwhile; in the one process there is, its event loop must go on.
    const fresh = await model.run(given, asked, { here: this.#exchange !== undefined, tidy });
    for (const [name, tensor] of Object.entries(fresh)) {
      made.set(key(id, name), tensor);
      if (!name.startsWith(NEXT) && name in wanted) results[name] ??= tensor;
    }
  }

  /** With workers each says its own term; alone, all terms are here. */
  #talk(index: number, made: Map<string, OrtTensor>): void {
    const talk = this.#schedule.talks[index]!;
    const term = ({ net, name }: Port) => made.get(key(net, name))!;
    if (this.#exchange) {
      const own = talk.terms.findIndex(({ net }) => this.#nets.some(({ id }) => id === net));
      made.set(talkName(index, talk, own), this.#exchange.talk(talk, term(talk.terms[own]!)));
      return;
    }
    for (const rank of talk.spans?.keys() ?? [0])
      made.set(talkName(index, talk, rank), together(talk, talk.terms.map(term), rank));
  }
}

/** What ranks hear is one and the same, or a part for each. */
function talkName(index: number, { spans }: Talk, rank: number): string {
  return spans ? `talk ${index} ${rank}` : `talk ${index}`;
}

function together({ combine: how, axis, spans }: Talk, terms: readonly OrtTensor[], rank: number): OrtTensor {
  const span = spans?.[rank];
  const parts = terms.map(({ shape, data }) => ({ dtype: "f32", shape, data: data as Float32Array }) as const);
  const { shape, data } =
    how === "concat"
      ? combine(parts, { combine: how, axis: axis! })
      : combine(parts, { combine: how, ...(span ? { axis: axis!, span } : {}) });
  return { dtype: "f32", shape, data: data as Float32Array };
}

/** By input of a net, where it comes from. */
function sourcesOf({ talks, hands, places }: MeshSchedule): ReadonlyMap<string, string> {
  const rankOf = new Map(places.flatMap(({ nets, rank }) => nets.map((net) => [net, rank] as const)));
  const sources = new Map<string, string>();
  talks.forEach((talk, index) => {
    for (const { net, name } of talk.results) sources.set(key(net, name), talkName(index, talk, rankOf.get(net)!));
  });
  for (const { from, to } of hands)
    for (const { net, name } of to) sources.set(key(net, name), key(from.net, from.name));
  return sources;
}

/** By net, the outputs that others take. */
function wantedOutputs({ talks, hands }: MeshSchedule): ReadonlyMap<string, ReadonlySet<string>> {
  const wanted = new Map<string, Set<string>>();
  const want = ({ net, name }: Port) => (wanted.get(net) ?? wanted.set(net, new Set()).get(net)!).add(name);
  for (const { terms } of talks) terms.forEach(want);
  for (const { from } of hands) want(from);
  return wanted;
}

function isFinal({ talks, hands }: MeshSchedule, id: string, output: string): boolean {
  const is = ({ net, name }: Port) => net === id && name === output;
  return !talks.some(({ terms }) => terms.some(is)) && !hands.some(({ from }) => is(from));
}

/**
 * What to do in which order. Every rank takes part in the talks of its stage in their order, each at the latest before a net
 * that needs its result; what earlier stages hand on comes in the order in which they hand it on.
 */
function stepsOf(nets: readonly LoadedNet[], schedule: MeshSchedule, stage: number | undefined): Step[] {
  const { talks, hands, places } = schedule;
  const stageOf = new Map(places.flatMap((place) => place.nets.map((net) => [net, place.stage] as const)));
  const rankOf = new Map(places.flatMap((place) => place.nets.map((net) => [net, place.rank] as const)));
  const here = new Set(nets.map(({ id }) => id));
  const steps: Step[] = [];
  if (stage !== undefined)
    for (const { id } of sendersBefore(schedule, nets, stageOf, rankOf))
      for (const { from, to } of hands)
        if (from.net === id && to.some(({ net }) => here.has(net)))
          steps.push({ do: "receive", from: key(from.net, from.name), stage: stageOf.get(id)! });
  const pending = talks.flatMap((talk, index) => (talk.terms.some(({ net }) => here.has(net)) ? [index] : []));
  for (const net of nets) {
    const needed = pending.findLastIndex((index) => talks[index]!.results.some((port) => port.net === net.id));
    for (const talk of pending.splice(0, needed + 1)) steps.push({ do: "talk", talk });
    steps.push({ do: "run", net });
    for (const { from, to } of hands) {
      const stages = new Set(to.map((port) => stageOf.get(port.net)!).filter((other) => other !== stageOf.get(net.id)));
      if (stage !== undefined && from.net === net.id && stages.size > 0)
        steps.push({ do: "send", from: key(from.net, from.name), stages: [...stages] });
    }
  }
  for (const talk of pending) steps.push({ do: "talk", talk });
  return steps;
}

/** The nets of earlier stages of this rank, as they run. */
function sendersBefore(
  { places }: MeshSchedule,
  nets: readonly LoadedNet[],
  stageOf: ReadonlyMap<string, number>,
  rankOf: ReadonlyMap<string, number>,
): { id: string }[] {
  const [first] = nets;
  const [rank, stage] = [rankOf.get(first!.id), stageOf.get(first!.id)!];
  return places
    .filter((place) => place.rank === rank && place.stage < stage)
    .flatMap((place) => place.nets.map((id) => ({ id })));
}

function key(net: string, name: string): string {
  return `${net}/${name}`;
}

function stateName(net: string, name: string): string {
  return `${net}/${name}`;
}

function isState(model: OrtSession, name: string): boolean {
  return model.outputs.some((output) => output.name === NEXT + name);
}

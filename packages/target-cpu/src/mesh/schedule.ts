import { inOrder, type Move, type Net, type Program } from "@llm/core-ir";

/** A net's value. */
export interface Port {
  readonly net: string;
  readonly name: string;
}

/** What one worker does: its nets, in order. */
export interface Place {
  readonly rank: number;
  readonly stage: number;
  readonly nets: readonly string[];
}

/** What all ranks of a stage tell one another: each has a term, and each makes the result of all of them. */
export interface Talk {
  readonly stage: number;
  readonly terms: readonly Port[]; // one a rank
  readonly combine: "sum" | "concat";
  readonly axis?: number;
  /** Of concat: how many entries of the axis each rank has. */
  readonly sizes?: readonly number[];
  /** Of a sum of which each rank keeps a part: which entries. */
  readonly spans?: readonly (readonly [number, number])[];
  /** Inputs that take the result. */
  readonly results: readonly Port[];
}

/** What a place hands on to another: to the next stage, or within itself from net to net. */
export interface Hand {
  readonly from: Port;
  readonly to: readonly Port[];
}

/** Who runs what and who tells whom: all that workers need besides their nets' files. It is the artefact's mesh.json. */
export interface MeshSchedule {
  readonly mp: number;
  readonly pp: number;
  readonly places: readonly Place[];
  /** In the order in which every rank takes part. */
  readonly talks: readonly Talk[];
  readonly hands: readonly Hand[];
}

/** The schedule of a program that `partition`, `stages` and `cut-at-collectives` made. */
export function scheduleOf(program: Program): MeshSchedule {
  const nets = new Map(program.nets.map((net) => [net.id, net]));
  const places = new Map<string, { rank: number; stage: number; nets: string[] }>();
  for (const { id, rank = 0, stage = 0 } of inOrder(program)) {
    const key = `${stage} ${rank}`;
    const place = places.get(key);
    if (place) place.nets.push(id);
    else places.set(key, { rank, stage, nets: [id] });
  }
  const sorted = [...places.values()].sort((a, b) => a.stage - b.stage || a.rank - b.rank);
  return {
    mp: Math.max(...sorted.map(({ rank }) => rank)) + 1,
    pp: Math.max(...sorted.map(({ stage }) => stage)) + 1,
    places: sorted,
    talks: talksOf(program.moves, nets),
    hands: handsOf(program.moves),
  };
}

function talksOf(moves: readonly Move[], nets: ReadonlyMap<string, Net>): Talk[] {
  const arrivals = Map.groupBy(
    moves.filter(({ combine }) => combine !== undefined),
    ({ to }) => `${to.net} ${to.input}`,
  );
  const talks = new Map<string, { talk: Talk; results: Port[]; spans: (readonly [number, number])[] }>();
  for (const terms of arrivals.values()) {
    const [{ combine, axis, span, to }] = terms as [Move];
    const ports = terms.map(({ from }): Port => ({ net: from.net, name: from.output }));
    const key = JSON.stringify(ports);
    let known = talks.get(key);
    if (!known) {
      const sizes =
        combine === "concat" ? ports.map((port) => sizeAlong(nets.get(port.net)!, port.name, axis!)) : undefined;
      const results: Port[] = [];
      const spans: (readonly [number, number])[] = [];
      const talk: Talk = {
        stage: nets.get(to.net)!.stage ?? 0,
        terms: ports,
        combine: combine!,
        ...(axis === undefined ? {} : { axis }),
        ...(sizes ? { sizes } : {}),
        ...(span ? { spans } : {}),
        results,
      };
      talks.set(key, (known = { talk, results, spans }));
    }
    known.results.push({ net: to.net, name: to.input });
    if (span) known.spans[nets.get(to.net)!.rank ?? 0] = span;
  }
  return [...talks.values()].map(({ talk }) => talk);
}

function sizeAlong({ graph }: Net, output: string, axis: number): number {
  return Number(graph.outputs.find(({ id }) => id === output)!.type.shape.at(axis));
}

function handsOf(moves: readonly Move[]): Hand[] {
  const hands = new Map<string, { from: Port; to: Port[] }>();
  for (const { from, to, combine } of moves) {
    if (combine !== undefined) continue;
    const key = `${from.net} ${from.output}`;
    const port = { net: to.net, name: to.input };
    const known = hands.get(key);
    if (known) known.to.push(port);
    else hands.set(key, { from: { net: from.net, name: from.output }, to: [port] });
  }
  return [...hands.values()];
}

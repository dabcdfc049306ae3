import type { Case, Measurement, Metric, Side } from "./case.ts";
import { describeMachine, type Machine } from "./machine.ts";
import { confidence, pairedRatios, ratiosOf, type Spread, spread } from "./statistics.ts";

export interface MetricResult extends Metric {
  /** By side. */
  readonly values: Readonly<Record<string, Spread>>;
  /** Side against the baseline, paired by round; the baseline itself is left out. */
  readonly ratios: Readonly<Record<string, Spread>>;
  /** The worse end of our mean ratio's confidence interval, where the bar is for that. */
  readonly bound?: number;
  /** Whether ours reaches the bar and stays within the limit; absent where there is neither. */
  readonly reached?: boolean;
}

export interface CaseResult {
  readonly name: string;
  readonly title: string;
  readonly rounds: number;
  readonly baseline: string;
  readonly sides: readonly { readonly name: string; readonly detail?: string }[];
  readonly metrics: readonly MetricResult[];
  readonly machine: Machine;
  readonly load: { readonly before: number; readonly after: number };
}

export interface RunOptions {
  readonly rounds?: number;
  readonly onProgress?: (text: string) => void;
  readonly machine?: () => Promise<Machine>;
}

/** Runs one case: sides take turns within each round, the order swapped every other turn. */
export async function runCase(benchCase: Case, options: RunOptions = {}): Promise<CaseResult> {
  const rounds = options.rounds ?? benchCase.rounds;
  const say = options.onProgress ?? (() => {});
  const machine = await (options.machine ?? describeMachine)();
  const sides = await benchCase.sides();
  const measured = new Map<string, Measurement[]>(sides.map((side) => [side.name, []]));
  try {
    for (const side of sides) {
      say(`${benchCase.name}: preparing ${side.name}`);
      await side.prepare?.();
    }
    const { turns = 1 } = benchCase;
    for (let round = 0; round < rounds; round++) {
      const taken = new Map<string, Measurement[]>(sides.map((side) => [side.name, []]));
      for (let turn = round * turns; turn < (round + 1) * turns; turn++)
        for (const side of order(sides, turn)) {
          if (turn % turns === 0) say(`${benchCase.name}: round ${round + 1} of ${rounds}, ${side.name}`);
          taken.get(side.name)!.push(await side.run(round, turn));
        }
      for (const [name, measurements] of taken) measured.get(name)!.push(middleOf(measurements));
    }
  } finally {
    for (const side of sides) await side.close?.();
  }
  const after = (await (options.machine ?? describeMachine)()).load;
  return {
    name: benchCase.name,
    title: benchCase.title,
    rounds,
    baseline: benchCase.baseline,
    sides: sides.map(({ name, detail }) => ({ name, detail })),
    metrics: benchCase.metrics.map((metric) => compare(metric, sides, measured, benchCase.baseline)),
    machine,
    load: { before: machine.load, after },
  };
}

function order(sides: readonly Side[], turn: number): readonly Side[] {
  return turn % 2 === 0 ? sides : [...sides].reverse();
}

function middleOf(measurements: readonly Measurement[]): Measurement {
  const keys = Object.keys(measurements[0] ?? {});
  return Object.fromEntries(keys.map((key) => [key, spread(measurements.map((one) => one[key])).median]));
}

function compare(
  metric: Metric,
  sides: readonly Side[],
  measured: ReadonlyMap<string, readonly Measurement[]>,
  baseline: string,
): MetricResult {
  const of = (side: string) => measured.get(side)!.map((one) => one[metric.key]);
  const values: Record<string, Spread> = {};
  const ratios: Record<string, Spread> = {};
  for (const { name } of sides) {
    values[name] = spread(of(name));
    if (name !== baseline) ratios[name] = pairedRatios(of(name), of(baseline));
  }
  const within = (value: number | undefined, bound: number | undefined) =>
    value === undefined || bound === undefined || (metric.better === "lower" ? value <= bound : value >= bound);
  if (metric.bar === undefined && metric.limit === undefined) return { ...metric, values, ratios };
  const { name } = sides[0];
  const interval = metric.confident ? confidence(ratiosOf(of(name), of(baseline))) : undefined;
  const bound = metric.better === "lower" ? interval?.high : interval?.low;
  return {
    ...metric,
    values,
    ratios,
    ...(bound === undefined ? {} : { bound }),
    reached: within(bound ?? ratios[name]?.median, metric.bar) && within(values[name].median, metric.limit),
  };
}

/** One thing measured: names and numbers, in the unit that the metric's name says. */
export type Measurement = Readonly<Record<string, number>>;

/** One side of a comparison: ours, a peer, or a baseline. */
export interface Side {
  readonly name: string;
  /** Version and flags, as a reader would need them to repeat it. */
  readonly detail?: string;
  /** Once, untimed: build, convert, warm the page cache. */
  prepare?(): Promise<void>;
  /** @param turn which of the round's turns it is, counted through all rounds */
  run(round: number, turn: number): Promise<Measurement>;
  close?(): Promise<void>;
}

/** Something that the project claims, with both sides of the claim. */
export interface Case {
  readonly name: string; // `pnpm bench NAME`
  readonly title: string;
  /** Metrics to compare, each with its direction and, where there is one, the bar to reach. */
  readonly metrics: readonly Metric[];
  readonly rounds: number;
  /** How often sides take turns within a round, whose medians it then gives: for small differences on machines that drift. 1 unless said. */
  readonly turns?: number;
  /** The side that the ratios are against; the first of `sides` is ours. */
  readonly baseline: string;
  sides(): Promise<readonly Side[]>;
}

export interface Metric {
  readonly key: string;
  readonly unit: string;
  readonly better: "lower" | "higher";
  /** What the ratio ours / baseline should reach (at most for "lower", at least for "higher"). */
  readonly bar?: number;
  /** Whether the bar is for the worse end of the mean ratio's confidence interval, instead of the median ratio. */
  readonly confident?: boolean;
  /** What ours should stay within by itself, in the metric's unit, where a claim is no ratio. */
  readonly limit?: number;
}

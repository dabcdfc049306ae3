/** Linear position biases of attention. */
export type AlibiRules = {
  readonly slopes: readonly number[]; // one a head
  /** relative: slope · (key − query) is added to the scaled score; key: slope · key is added before the scale. */
  readonly anchor: "relative" | "key";
  /** slope · position is rounded to this before it is added. */
  readonly round?: "bf16";
};

/** What rotary uses instead for a sequence that reaches past `above` tokens: other frequencies, or NTK's, which grow. */
export type FarFrequencies = {
  readonly above: number;
  readonly freqs?: readonly number[];
  readonly ntk?: { readonly base: number; readonly factor: number };
};

/** How tokens find their experts. */
export type RouteRules = {
  readonly score: "softmax" | "sigmoid";
  readonly order: "score-topk" | "topk-score";
  readonly k: number;
  readonly renorm?: boolean;
  readonly groups?: { readonly count: number; readonly keep: number; readonly by: "max" | "top2sum" };
  readonly scale?: number;
};

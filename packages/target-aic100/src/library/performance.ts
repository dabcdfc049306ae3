/** How long a run took, in seconds, and what it gave. */
export interface Figures {
  readonly batchSize: number;
  /** Until the first token of every row. */
  readonly prefillSeconds: number;
  /** After it. */
  readonly decodeSeconds: number;
  /** Tokens of a row after the first. */
  readonly decodedTokens: number;
}

/** What is printed of a run. Rates are tokens of all rows a second. */
export interface PrintedFigures {
  readonly batchSize: number;
  readonly prefillSeconds: number;
  readonly decodeRate: number;
  readonly totalRate: number;
  readonly totalSeconds: number;
}

export function printedFigures({ batchSize, prefillSeconds, decodeSeconds, decodedTokens }: Figures): PrintedFigures {
  const totalSeconds = prefillSeconds + decodeSeconds;
  const rate = (tokens: number, seconds: number) => (seconds > 0 ? (tokens * batchSize) / seconds : 0);
  return {
    batchSize,
    prefillSeconds,
    decodeRate: rate(decodedTokens, decodeSeconds),
    totalRate: rate(decodedTokens + 1, totalSeconds),
    totalSeconds,
  };
}

/** The block of figures that scripts around the library look for, line by line in its wording. */
export function performanceBlock(figures: PrintedFigures): string {
  const { batchSize, prefillSeconds, decodeRate, totalRate, totalSeconds } = figures;
  const rounded = (x: number) => String(Math.round(x * 100) / 100);
  const title = "Performance Stats";
  const rule = "=".repeat(25);
  return [
    `${rule} ${title} ${rule}`,
    ...(batchSize > 1 ? ["Batch Performance : "] : []),
    `Average Prefill time a.k.a TTFT is= ${rounded(prefillSeconds)} sec        `,
    `Decode is= ${rounded(decodeRate)} tokens/sec        `,
    `Total is= ${rounded(totalRate)} tokens/sec        `,
    `Total (E2E) inference time is= ${rounded(totalSeconds)} sec`,
    "=".repeat(2 * rule.length + title.length + 2),
  ].join("\n");
}

/** What is printed for programs: each prompt with its text, then the figures. */
export function automationBlock(prompts: readonly string[], texts: readonly string[], figures: PrintedFigures): string {
  const pairs = prompts.flatMap((prompt, at) => [`input=${prompt}`, `output=${texts[at]}`]);
  return [...pairs, performanceBlock(figures)].join("\n");
}

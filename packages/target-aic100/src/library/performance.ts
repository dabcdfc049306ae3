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

/** Tokens of all rows a second. */
export interface Rates {
  readonly decode: number;
  readonly total: number;
}

export function ratesOf({ batchSize, prefillSeconds, decodeSeconds, decodedTokens }: Figures): Rates {
  const per = (tokens: number, seconds: number) => (seconds > 0 ? (tokens * batchSize) / seconds : 0);
  return {
    decode: per(decodedTokens, decodeSeconds),
    total: per(decodedTokens + 1, prefillSeconds + decodeSeconds),
  };
}

/** The block of figures that scripts around the library look for, line by line in its wording. */
export function performanceBlock(figures: Figures): string {
  const { batchSize, prefillSeconds, decodeSeconds } = figures;
  const { decode, total } = ratesOf(figures);
  const rounded = (x: number) => String(Math.round(x * 100) / 100);
  const title = "Performance Stats";
  const rule = "=".repeat(25);
  return [
    `${rule} ${title} ${rule}`,
    ...(batchSize > 1 ? ["Batch Performance : "] : []),
    `Average Prefill time a.k.a TTFT is= ${rounded(prefillSeconds)} sec        `,
    `Decode is= ${rounded(decode)} tokens/sec        `,
    `Total is= ${rounded(total)} tokens/sec        `,
    `Total (E2E) inference time is= ${rounded(prefillSeconds + decodeSeconds)} sec`,
    "=".repeat(2 * rule.length + title.length + 2),
  ].join("\n");
}

/** What is printed for programs: each prompt with its text, then the figures. */
export function automationBlock(prompts: readonly string[], texts: readonly string[], figures: Figures): string {
  const pairs = prompts.flatMap((prompt, at) => [`input=${prompt}`, `output=${texts[at]}`]);
  return [...pairs, performanceBlock(figures)].join("\n");
}

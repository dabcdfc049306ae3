import { type Answer, type BatchTimings, ToolchainError } from "@llm/toolchain";

/** A run's prompts, texts and figures as scripts around the library of Cloud AI 100 read them. */
export async function automationFigures(timings: BatchTimings, completions: readonly Answer[]): Promise<string> {
  const { automationBlock } = await import("@llm/target-aic100").catch((cause: unknown) => {
    throw new ToolchainError(
      "target-not-installed",
      "--automation prints as Cloud AI 100's library does: npm install @llm/target-aic100",
      { cause },
    );
  });
  const { ttftMs, decodeTokensPerSecond: decodeRate, totalTokensPerSecond: totalRate } = timings;
  const tokens = completions.reduce((sum, completion) => sum + completion.tokens.length, 0);
  const figures = {
    batchSize: completions.length,
    prefillSeconds: ttftMs / 1000,
    decodeRate,
    totalRate,
    totalSeconds: totalRate > 0 ? tokens / totalRate : 0,
  };
  const [prompts, texts] = [completions.map(({ prompt }) => prompt), completions.map(({ text }) => text)];
  return `\n${automationBlock(prompts, texts, figures)}\n`;
}

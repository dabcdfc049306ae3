/** How many inputs a fuzz test tries: few in every run, `LLM_FUZZ=50` times as many when somebody looks for trouble. */
export function fuzzRuns(usual: number): number {
  return usual * Number(process.env.LLM_FUZZ ?? 1);
}

import type { Session } from "@llm/target";
import { ToolchainError } from "./error.ts";
import { sampleMemory } from "./peak-memory.ts";

export interface BenchOptions {
  readonly prompt: number; // tokens of the prefill test; 0: none
  readonly generate: number; // tokens of the decode test; 0: none
  readonly batch: number; // sequences at once
  readonly depth: number; // tokens held before a test begins
  readonly repeat: number;
  readonly signal?: AbortSignal;
  onTest?(name: string, done: number): void;
}

export interface BenchTest {
  readonly name: string; // "pp512", "tg128", with "@d1024" where something was held before
  readonly tokensPerSecond: { readonly mean: number; readonly stdev: number };
}

export interface BenchReport {
  readonly tests: readonly BenchTest[];
  readonly peakRssBytes: number;
}

/** Measures prefill and decode as llama-bench does: tokens mean nothing, all sequences are of one length, one warm-up. */
export async function benchSession(session: Session, options: BenchOptions): Promise<BenchReport> {
  check(session, options);
  const memory = sampleMemory();
  const { prompt, generate, batch, depth } = options;
  const held = depth > 0 ? ` @d${depth}` : "";
  const tests: BenchTest[] = [];
  if (prompt > 0)
    tests.push(
      await measure(session, options, `pp${prompt}${held}`, prompt * batch, () =>
        advance(session, options, depth, prompt, true),
      ),
    );
  if (generate > 0)
    tests.push(
      await measure(session, options, `tg${generate}${held}`, generate * batch, async () => {
        for (let i = 0; i < generate; i++) await advance(session, options, depth + i, 1, true);
      }),
    );
  return { tests, peakRssBytes: memory.stop() };
}

/** Runs `work` once to warm up and then `repeat` times, each over slots that hold `depth` tokens. */
async function measure(
  session: Session,
  options: BenchOptions,
  name: string,
  tokens: number,
  work: () => Promise<void>,
): Promise<BenchTest> {
  const { repeat, batch, depth, signal, onTest } = options;
  const rates: number[] = [];
  onTest?.(name, 0);
  for (let run = -1; run < repeat; run++) {
    signal?.throwIfAborted();
    for (let slot = 0; slot < batch; slot++) await session.trim(slot, 0);
    if (depth > 0) await advance(session, options, 0, depth, false);
    const began = performance.now();
    await work();
    if (run < 0) continue;
    rates.push(tokens / ((performance.now() - began) / 1000));
    onTest?.(name, run + 1);
  }
  return { name, tokensPerSecond: spread(rates) };
}

/** `count` tokens from position `at` on, in every slot, in pieces that the session takes. */
async function advance(
  session: Session,
  { batch, signal }: BenchOptions,
  at: number,
  count: number,
  want: boolean,
): Promise<void> {
  const { chunk, vocab } = session.limits;
  for (let from = 0; from < count; from += chunk) {
    signal?.throwIfAborted();
    const length = Math.min(chunk, count - from);
    const last = want && from + length === count;
    const rows = Array.from({ length: batch }, (_, slot) => ({
      slot,
      at: at + from,
      tokens: Int32Array.from({ length }, (_, i) => (at + from + i) % vocab),
      reach: at + count,
      ...(last ? { want: { kind: "logits", last: 1 } as const } : {}),
    }));
    await session.step(rows);
  }
}

function check({ limits }: Session, { prompt, generate, depth, batch }: BenchOptions): void {
  const longest = depth + Math.max(prompt, generate);
  if (longest > limits.context)
    throw new ToolchainError(
      "option-invalid",
      `a test of ${longest} tokens doesn't fit a context of ${limits.context}; take fewer, or a larger --ctx-len`,
    );
  if (batch > limits.slots)
    throw new ToolchainError("option-invalid", `a batch of ${batch} needs as many slots; there are ${limits.slots}`);
}

function spread(rates: readonly number[]): { readonly mean: number; readonly stdev: number } {
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
  const squares = rates.reduce((sum, rate) => sum + (rate - mean) ** 2, 0);
  return { mean, stdev: rates.length > 1 ? Math.sqrt(squares / (rates.length - 1)) : 0 };
}

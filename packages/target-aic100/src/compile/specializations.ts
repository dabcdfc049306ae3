import { contextLengths } from "./comp-ctx-lengths.ts";
import { PROFILES } from "./sdk-profiles.ts";
import type { CompileSettings } from "./settings.ts";

/** Numbers for the graph's symbols; the compiler wants them as text. */
export type Specialization = Readonly<Record<string, string>>;

/**
 * The shapes that a QPC answers, one entry each: prompts in chunks, and single tokens. With chunks of one token, one entry
 * is both.
 */
export function specializationsOf(settings: CompileSettings): readonly Specialization[] {
  const { promptLen, ctxLen, batchSize, fullBatchSize, kvCacheBatchSize, speculate } = settings;
  const cached: Entry = fullBatchSize > 0 ? { full_batch_size: kvCacheBatchSize || fullBatchSize } : {};
  // A prompt's chunk is one sequence's where slots come and go; chunks of single tokens are every slot's, as in decoding.
  const prefill: Entry = {
    batch_size: fullBatchSize > 0 && promptLen > 1 ? 1 : fullBatchSize || batchSize,
    seq_len: promptLen,
    ctx_len: ctxLen,
    ...cached,
  };
  const decode: Entry = { batch_size: fullBatchSize || batchSize, seq_len: 1, ctx_len: ctxLen, ...cached };
  const prefills = promptLen > 1 ? [prefill] : [];
  if (settings.compCtxLengths) {
    const lengths = contextLengths(settings.compCtxLengths, { promptLen, ctxLen });
    const seen = (entry: Entry, list: readonly number[]) =>
      list.map((length): Entry => ({ ...entry, comp_ctx_lengths: length }));
    return [...prefills.flatMap((entry) => seen(entry, lengths.prefill)), ...seen(decode, lengths.decode)].map(texts);
  }
  if (speculate.length > 0) {
    const checks = speculate.map((guesses): Entry => {
      return { ...decode, seq_len: guesses + 1, num_logits_to_keep: guesses + 1 };
    });
    return [{ ...prefill, num_logits_to_keep: 1 }, ...checks].map(texts);
  }
  return [...prefills, decode].map(texts);
}

type Entry = Readonly<Record<string, number>>;

/** `specializations.json`, in the form that the profile's compiler reads. */
export function specializationsFile(settings: CompileSettings): string {
  const entries = specializationsOf(settings);
  const isNamed = PROFILES[settings.profile].specializations === "named";
  const names = namesOf(entries);
  const lines = entries.map((symbols, at) =>
    isNamed ? `{ "name": ${JSON.stringify(names[at])}, "symbols": ${line(symbols)} }` : line(symbols),
  );
  return `{\n    "specializations": [\n        ${lines.join(",\n        ")}\n    ]\n}\n`;
}

/** An entry of one token is a decode, any other a prefill, except where guesses are checked; several of a kind are counted. */
function namesOf(entries: readonly Specialization[]): readonly string[] {
  const kinds = entries.map(({ seq_len, num_logits_to_keep }, at) => {
    if (num_logits_to_keep !== undefined) return at === 0 ? "Prefill" : "Decode";
    return seq_len === "1" ? "Decode" : "Prefill";
  });
  return kinds.map((kind, at) => {
    if (kinds.filter((other) => other === kind).length === 1) return kind;
    return `${kind}_${kinds.slice(0, at).filter((other) => other === kind).length}`;
  });
}

function line(symbols: Specialization): string {
  const pairs = Object.entries(symbols).map(([symbol, value]) => `${JSON.stringify(symbol)}: ${JSON.stringify(value)}`);
  return `{ ${pairs.join(", ")} }`;
}

function texts(entry: Entry): Specialization {
  return Object.fromEntries(Object.entries(entry).map(([symbol, value]) => [symbol, String(value)]));
}

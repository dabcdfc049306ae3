import { type InfillRequest, unsupported } from "@llm/protocol";
import type { Generator } from "@llm/toolchain";

/** Of the room for a prompt: what stands before the cursor matters most. */
const SHARE_BEFORE = 0.75;

export interface InfillPrompt {
  readonly ids: number[];
  /** Whether something was left out. */
  readonly truncated: boolean;
}

/** The prompt for what an editor sends: the nearest of what is around the cursor, and other files where there is room. */
export function infillPrompt(body: InfillRequest, { tokenizer, scheduler }: Generator, answer: number): InfillPrompt {
  if (!tokenizer.infill)
    throw unsupported("input_suffix", "needs a model that was trained to fill in, and this one has no tokens for it");
  const plain = { addSpecialTokens: false, parseSpecial: false };
  const begun = Array.from(tokenizer.encode(body.prompt ?? "", plain));
  const marks = tokenizer.encodeInfill({ prefix: "", suffix: "" }).length;
  const room = Math.max(0, scheduler.room - answer - begun.length - marks);

  const before = tokenizer.encode(body.input_prefix, plain);
  const after = tokenizer.encode(body.input_suffix, plain);
  // What one of them doesn't need is the other's.
  const shareAfter = Math.max(Math.floor(room * (1 - SHARE_BEFORE)), room - before.length);
  const suffixLength = Math.min(after.length, shareAfter);
  const prefixLength = Math.min(before.length, room - suffixLength);
  const cut = prefixLength < before.length || suffixLength < after.length;
  const extra = fitting(body, tokenizer, room - prefixLength - suffixLength);

  const text = (ids: ArrayLike<number>): string => tokenizer.decode(Array.from(ids));
  const prefix = cut ? text(before.slice(before.length - prefixLength)) : body.input_prefix;
  const suffix = cut ? text(after.slice(0, suffixLength)) : body.input_suffix;
  const ids = [...tokenizer.encodeInfill({ prefix: extra.text + prefix, suffix }), ...begun];
  return { ids, truncated: cut || extra.left > 0 };
}

/** As many of the other files as fit, the last ones first: editors put the most recent last. */
function fitting(
  { input_extra: extra }: InfillRequest,
  tokenizer: Generator["tokenizer"],
  room: number,
): { readonly text: string; readonly left: number } {
  const chosen: string[] = [];
  let free = room;
  const files = (extra ?? []).map(({ filename, text }) => `${filename ? `# ${filename}\n` : ""}${text}\n\n`);
  for (const file of files.toReversed()) {
    free -= tokenizer.encode(file, { addSpecialTokens: false, parseSpecial: false }).length;
    if (free < 0) break;
    chosen.unshift(file);
  }
  return { text: chosen.join(""), left: files.length - chosen.length };
}

import { TokenizerError } from "./error.ts";
import type { Batch, BatchOptions } from "./options.ts";

interface Around {
  encode(text: string): Int32Array;
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly padTokenId: number | undefined;
}

/** Encodes texts, cuts them to `maxLength` and fills them up to a common length. */
export function padBatch(texts: readonly string[], options: BatchOptions, around: Around): Batch {
  const { truncation = "right", maxLength, padding = "none", padTo = "longest", padToMultipleOf = 1 } = options;
  const most = limit("maxLength", maxLength, Number.POSITIVE_INFINITY);
  const multiple = limit("padToMultipleOf", padToMultipleOf, 1);
  const room = truncation === "none" ? Number.POSITIVE_INFINITY : most - around.before.length - around.after.length;
  if (room < 0)
    throw new TokenizerError(
      "option-invalid",
      `maxLength ${most} leaves no room beside the tokens that are always added`,
    );
  const rows = texts.map((text) => {
    const ids = around.encode(text);
    const kept =
      ids.length <= room ? ids : truncation === "left" ? ids.subarray(ids.length - room) : ids.subarray(0, room);
    return Int32Array.from([...around.before, ...kept, ...around.after]);
  });
  if (padding === "none") return { ids: rows, attentionMask: rows.map((row) => new Uint8Array(row.length).fill(1)) };

  const pad = options.padTokenId ?? around.padTokenId;
  if (pad === undefined)
    throw new TokenizerError("option-invalid", "this tokenizer has no padding token: give padTokenId");
  if (padTo === "max" && maxLength === undefined)
    throw new TokenizerError("option-invalid", 'padTo "max" needs maxLength');
  const longest = rows.reduce((length, row) => Math.max(length, row.length), padTo === "max" ? most : 0);
  const length = Math.ceil(longest / multiple) * multiple;
  const ids: Int32Array[] = [];
  const attentionMask: Uint8Array[] = [];
  for (const row of rows) {
    const at = padding === "left" ? length - row.length : 0;
    const padded = new Int32Array(length).fill(pad);
    padded.set(row, at);
    ids.push(padded);
    attentionMask.push(new Uint8Array(length).fill(1, at, at + row.length));
  }
  return { ids, attentionMask };
}

function limit(name: string, value: number | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  if (!Number.isInteger(value) || value < 1)
    throw new TokenizerError("option-invalid", `${name} ${value} is not a whole number from 1 on`);
  return value;
}

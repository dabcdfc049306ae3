import { bestOf } from "@llm/runtime-native/ort";
import type { RowResult, Want } from "@llm/target";
import { toFloats } from "./encode.ts";
import { type Layout, portIs } from "./layout.ts";

/** What was read of the device for one token. */
export interface Raw {
  readonly what: "logits" | "token";
  readonly bytes: Uint8Array;
}

/** A row's result, of what the device gave for each of its last tokens. */
export function answer(want: Want, raw: readonly Raw[], { head, vocab }: Layout): RowResult {
  const logits = (): Float32Array => {
    const { dtype } = head.outputs.find(portIs("logits"))!;
    return joined(raw.map(({ bytes }) => toFloats(bytes, dtype).subarray(0, vocab)));
  };
  switch (want.kind) {
    case "logits":
      return { logits: logits() };
    case "top": {
      const { ids, logits: scores, logSumExp } = bestOf(logits(), vocab, want.k, { allow: want.allow, sums: true });
      return { top: { ids, logits: scores, logSumExp: logSumExp! } };
    }
    case "token":
      if (raw[0]!.what === "logits") return { tokens: bestOf(logits(), vocab, 1, { allow: want.allow }).ids };
      return {
        tokens: Int32Array.from(raw, ({ bytes }) => new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true)),
      };
    case "hidden":
      throw new TypeError("hidden states are not offered");
  }
}

function joined(rows: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(rows.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const row of rows) {
    all.set(row, at);
    at += row.length;
  }
  return all;
}

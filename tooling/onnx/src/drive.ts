import type { OrtSession } from "@llm/runtime-native/ort";
import { type Drive, floats, lastRow, withNets } from "./nets.ts";
import { integers, joined, run, type Values, zeros } from "./run-file.ts";

/** A model of the standard flavour with a cache: the prompt, then token by token. */
export function withCache(name: string): Drive {
  return (folder, { input_ids, greedy }) =>
    withNets(folder, async (nets) => {
      const model = await nets.get(name);
      const dimOf = (dim: number | string) => (typeof dim === "number" ? dim : dim === "batch_size" ? 1 : 0);
      const pasts = model.inputs.filter((input) => input.name.startsWith("past_key_values."));
      let past: Values = Object.fromEntries(
        pasts.map((input) => [input.name, zeros(input.dtype, input.shape.map(dimOf))]),
      );
      const rows: Float32Array[] = [];
      let at = 0;
      for (const tokens of [input_ids, ...greedy.slice(0, -1).map((token) => [token])]) {
        const outputs = await run(model, { ...columns(tokens, at, at + tokens.length), ...past });
        rows.push(lastRow(outputs.logits!));
        past = Object.fromEntries(
          pasts.map(({ name }) => [name, outputs[name.replace("past_key_values", "present")]!]),
        );
        at += tokens.length;
      }
      return rows;
    });
}

/** One call with room for `length` tokens, the text at its beginning. */
export function atFixedLength(name: string, length: number): Drive {
  return (folder, { input_ids, greedy }) =>
    withNets(folder, async (nets) => {
      const text = [...input_ids, ...greedy];
      const padded = [...text, ...Array<number>(length - text.length).fill(0)];
      const { logits } = await run(await nets.get(name), columns(padded, 0, text.length));
      const vocab = logits!.shape.at(-1)!;
      return greedy.map((_, i) => {
        const row = input_ids.length - 1 + i;
        return floats(logits!).slice(row * vocab, (row + 1) * vocab);
      });
    });
}

/** The standard flavour's inputs besides the past: tokens at `at`, of which the first `seen` columns are no padding. */
function columns(tokens: readonly number[], at: number, seen: number): Values {
  const count = at + tokens.length;
  const ramp = tokens.map((_, i) => at + i);
  return {
    input_ids: integers("i64", [1, tokens.length], tokens),
    attention_mask: integers(
      "i64",
      [1, count],
      Array.from({ length: count }, (_, i) => (i < seen ? 1 : 0)),
    ),
    position_ids: integers("i64", [1, tokens.length], ramp),
  };
}

/** Block by block: `block_i` for the prompt, then `block_cache_i`, over keys and values that are put together here. */
export const blockByBlock: Drive = (folder, { input_ids, greedy }) =>
  withNets(folder, async (nets) => {
    const rows: Float32Array[] = [];
    let past: Values = {};
    let at = 0;
    for (const tokens of [input_ids, ...greedy.slice(0, -1).map((token) => [token])]) {
      const shape = [1, tokens.length];
      let values: Values = {
        ids: integers("i32", shape, tokens),
        positions: integers(
          "i32",
          shape,
          tokens.map((_, i) => at + i),
        ),
        reach: integers(
          "i32",
          shape,
          tokens.map(() => at + tokens.length),
        ),
        rows: integers("i32", [1], [tokens.length - 1]),
        ...past,
      };
      const kind = at === 0 ? "block_" : "block_cache_";
      const names = ["embedding", ...Array.from({ length: nets.blocks }, (_, i) => `${kind}${i}`), "lm_head"];
      for (const name of names) {
        const net = await nets.get(name);
        const made = await run(net, values);
        values = { ...values, ...made };
        if (name.startsWith("block_")) past = { ...past, ...(at === 0 ? kept(made) : continued(net, past, made)) };
      }
      rows.push(lastRow(values.logits!));
      at += tokens.length;
    }
    return rows;
  });

const kept = (made: Values): Values =>
  Object.fromEntries(Object.entries(made).filter(([name]) => name.startsWith("cache.")));

/** What a block with a past gives after its stream are the new tokens' keys and values, in the order of its pasts. */
function continued({ inputs, outputs }: OrtSession, past: Values, made: Values): Values {
  const pasts = inputs.filter(({ name }) => name.startsWith("cache."));
  const news = outputs.slice(outputs.length - pasts.length);
  return Object.fromEntries(pasts.map(({ name }, i) => [name, joined(past[name]!, made[news[i]!.name]!, 2)]));
}

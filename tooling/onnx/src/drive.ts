import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { OrtSession, OrtTensor } from "@llm/runtime-native/ort";
import { integers, joined, openFile, run, type Values, zeros } from "./run-file.ts";

/** A prompt, and how the reference went on. */
export interface Told {
  readonly input_ids: readonly number[];
  readonly greedy: readonly number[];
}

/** Logits after the prompt, and after each token of the answer but its last: what each of them was chosen by. */
export type Drive = (folder: string, told: Told) => Promise<readonly Float32Array[]>;

/** Nets of a folder by name, each opened when it is first asked for. */
class Nets {
  readonly names: ReadonlySet<string>;
  readonly #folder: string;
  readonly #open = new Map<string, OrtSession>();

  constructor(folder: string) {
    this.#folder = folder;
    const files = readdirSync(folder).filter((file) => file.endsWith(".onnx"));
    this.names = new Set(files.map((file) => file.slice(0, -".onnx".length)));
  }

  async get(name: string): Promise<OrtSession> {
    const net = this.#open.get(name) ?? (await openFile(join(this.#folder, `${name}.onnx`)));
    this.#open.set(name, net);
    return net;
  }

  async close(): Promise<void> {
    for (const net of this.#open.values()) await net.close();
  }
}

async function withNets<T>(folder: string, work: (nets: Nets) => Promise<T>): Promise<T> {
  const nets = new Nets(folder);
  return work(nets).finally(() => nets.close());
}

const floats = ({ data }: OrtTensor) => data as Float32Array;

function lastRow(logits: OrtTensor): Float32Array {
  const vocab = logits.shape.at(-1)!;
  return floats(logits).slice(-vocab);
}

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
    const blocks = [...nets.names].filter((name) => name.startsWith("block_cache_")).length;
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
      const names = ["embedding", ...Array.from({ length: blocks }, (_, i) => `${kind}${i}`), "lm_head"];
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

/** Hides a place from attention, as the vendor's scripts do. */
const HIDDEN = -10000;

/** BM1684X's nets: everything has its length, histories are filled from their beginning. */
export const deviceNets: Drive = (folder, { input_ids, greedy }) =>
  withNets(folder, async (nets) => {
    const blocks = [...nets.names].filter((name) => name.startsWith("block_cache_")).length;
    const [, length] = (await nets.get("embedding")).inputs[0]!.shape as [number, number];
    const head = async (stream: OrtTensor, row: number) => {
      const width = stream.shape[2]!;
      const input_states = zeros("f32", [1, 1, width]);
      floats(input_states).set(floats(stream).subarray(row * width, (row + 1) * width));
      return lastRow((await run(await nets.get("lm_head"), { input_states })).logits!);
    };
    const through = async (
      kind: string,
      first: string,
      values: Values,
      each: (i: number, made: Values) => void,
      own: (i: number) => Values,
    ) => {
      let { output_states } = await run(await nets.get(first), values);
      for (let i = 0; i < blocks; i++) {
        const net = await nets.get(`${kind}${i}`);
        const made = await run(net, { ...values, ...masks(net, values), input_states: output_states!, ...own(i) });
        output_states = made.output_states;
        each(i, made);
      }
      return output_states!;
    };
    /** Of a prompt: each token sees itself and what is before it. Of one token: the history's beginning, and itself, last. */
    const masks = (net: OrtSession, { position_ids }: Values): Values =>
      Object.fromEntries(
        net.inputs
          .filter(({ name }) => name.startsWith("attention_mask"))
          .map(({ name, shape }) => {
            const window = Number(/_window_(\d+)$/.exec(name)?.[1] ?? Number.POSITIVE_INFINITY);
            const mask = zeros("f32", shape as number[]);
            const [rows, places] = [shape.at(-2) as number, shape.at(-1) as number];
            floats(mask).fill(HIDDEN);
            const at = (position_ids!.data as Int32Array)[0]!;
            for (let row = 0; row < rows; row++) {
              const position = rows === 1 ? at : row;
              for (let place = Math.max(0, position - window + 1); place < position; place++)
                floats(mask)[row * places + place] = 0;
              floats(mask)[row * places + (rows === 1 ? places - 1 : row)] = 0;
            }
            return [name, mask];
          }),
      );

    const padded = [...input_ids, ...Array<number>(length - input_ids.length).fill(0)];
    const prompt = {
      input_ids: integers("i32", [1, length], padded),
      position_ids: integers("i32", [1, length], [...padded.keys()]),
    };
    const history: Values[] = [];
    const keep = (i: number, { k_cache, v_cache }: Values) =>
      void (history[i] = { history_k: k_cache!, history_v: v_cache! });
    const stream = await through("block_", "embedding", prompt, keep, () => ({}));
    const rows = [await head(stream, input_ids.length - 1)];
    for (const [i, token] of greedy.slice(0, -1).entries()) {
      const at = input_ids.length + i;
      const one = { input_ids: integers("i32", [1, 1], [token]), position_ids: integers("i32", [1, 1], [at]) };
      const put = (block: number, { k_cache, v_cache }: Values) => {
        for (const [past, made] of [
          [history[block]!.history_k!, k_cache!],
          [history[block]!.history_v!, v_cache!],
        ] as const)
          floats(past).set(floats(made), at * floats(made).length);
      };
      rows.push(await head(await through("block_cache_", "embedding_cache", one, put, (block) => history[block]!), 0));
    }
    return rows;
  });

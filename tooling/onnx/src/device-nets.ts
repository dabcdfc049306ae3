import type { OrtSession, OrtTensor } from "@llm/runtime-native/ort";
import { type Drive, floats, lastRow, type Nets, withNets } from "./nets.ts";
import { integers, run, type Values, zeros } from "./run-file.ts";

/** Hides a place from attention, as the vendor's scripts do. */
const HIDDEN = -10000;

/** BM1684X's nets: a prompt has their length, then come single tokens over histories that are filled from their beginning. */
export const deviceNets: Drive = (folder, { input_ids, greedy }) =>
  withNets(folder, async (nets) => {
    const [, length] = (await nets.get("embedding")).inputs[0]!.shape as [number, number];
    const padded = [...input_ids, ...Array<number>(length - input_ids.length).fill(0)];
    const prompt = await through(nets, "embedding", "block_", tokensAt(padded, 0), []);
    const history = prompt.made.map(({ k_cache, v_cache }) => ({ history_k: k_cache!, history_v: v_cache! }));
    const rows = [await head(nets, prompt.stream, input_ids.length - 1)];
    for (const [i, token] of greedy.slice(0, -1).entries()) {
      const at = input_ids.length + i;
      const { stream, made } = await through(nets, "embedding_cache", "block_cache_", tokensAt([token], at), history);
      for (const [block, { k_cache, v_cache }] of made.entries()) {
        put(history[block]!.history_k, k_cache!, at);
        put(history[block]!.history_v, v_cache!, at);
      }
      rows.push(await head(nets, stream, 0));
    }
    return rows;
  });

function tokensAt(tokens: readonly number[], at: number): Values {
  const shape = [1, tokens.length];
  const positions = tokens.map((_, i) => at + i);
  return { input_ids: integers("i32", shape, tokens), position_ids: integers("i32", shape, positions) };
}

/** Through all blocks, and what each of them gave. */
async function through(nets: Nets, first: string, kind: string, tokens: Values, history: readonly Values[]) {
  let stream = (await run(await nets.get(first), tokens)).output_states!;
  const made: Values[] = [];
  for (let block = 0; block < nets.blocks; block++) {
    const net = await nets.get(`${kind}${block}`);
    const given = { ...tokens, ...masksOf(net, tokens), ...history[block], input_states: stream };
    made.push(await run(net, given));
    stream = made[block]!.output_states!;
  }
  return { stream, made };
}

/** A mask for each window that a block has, or for none. */
function masksOf({ inputs }: OrtSession, { position_ids }: Values): Values {
  const [at] = position_ids!.data as Int32Array;
  return Object.fromEntries(
    inputs
      .filter(({ name }) => name.startsWith("attention_mask"))
      .map(({ name, shape }) => {
        const window = Number(/_window_(\d+)$/.exec(name)?.[1] ?? Number.POSITIVE_INFINITY);
        return [name, maskOf(shape as readonly number[], at!, window)];
      }),
  );
}

/** A prompt's token sees itself and what is before it. A token after it sees the history's first `at` places, and itself, the last. */
function maskOf(shape: readonly number[], at: number, window: number): OrtTensor {
  const mask = zeros("f32", shape);
  const [rows, places] = shape.slice(-2) as [number, number];
  const values = floats(mask).fill(HIDDEN);
  for (let row = 0; row < rows; row++) {
    const [position, own] = rows === 1 ? [at, places - 1] : [row, row];
    values.fill(0, row * places + Math.max(0, position - window + 1), row * places + position);
    values[row * places + own] = 0;
  }
  return mask;
}

/** A token's keys or values (1, 1, heads, width) at its place of a history (1, length, heads, width). */
function put(history: OrtTensor, made: OrtTensor, at: number): void {
  floats(history).set(floats(made), at * floats(made).length);
}

async function head(nets: Nets, stream: OrtTensor, row: number): Promise<Float32Array> {
  const width = stream.shape[2]!;
  const input_states = zeros("f32", [1, 1, width]);
  floats(input_states).set(floats(stream).subarray(row * width, (row + 1) * width));
  return lastRow((await run(await nets.get("lm_head"), { input_states })).logits!);
}

import { execFile } from "node:child_process";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Case } from "../case.ts";

const run = promisify(execFile);
const opener = fileURLToPath(new URL("./checkpoint-open-process.ts", import.meta.url));

/** StarCoder's shapes: 40 blocks of width 6144, multi-query. */
function starcoderShapes(): Record<string, number[]> {
  const width = 6144;
  const shapes: Record<string, number[]> = {
    "transformer.wte.weight": [49_152, width],
    "transformer.wpe.weight": [8192, width],
  };
  const add = (name: string, outputs: number, inputs: number) => {
    shapes[`${name}.weight`] = [outputs, inputs];
    shapes[`${name}.bias`] = [outputs];
  };
  for (let block = 0; block < 40; block++) {
    const name = `transformer.h.${block}`;
    for (const norm of ["ln_1", "ln_2"])
      Object.assign(shapes, { [`${name}.${norm}.weight`]: [width], [`${name}.${norm}.bias`]: [width] });
    add(`${name}.attn.c_attn`, width + 256, width);
    add(`${name}.attn.c_proj`, width, width);
    add(`${name}.mlp.c_fc`, 4 * width, width);
    add(`${name}.mlp.c_proj`, width, 4 * width);
  }
  return { ...shapes, "transformer.ln_f.weight": [width], "transformer.ln_f.bias": [width] };
}

/** Seven sparse shards: 31 GB that take no room. */
async function writeSparse(folder: string): Promise<void> {
  const shapes = Object.entries(starcoderShapes());
  const perShard = Math.ceil(shapes.length / 7);
  const map: Record<string, string> = {};
  for (let shard = 0; shard < 7; shard++) {
    const file = `model-0000${shard + 1}-of-00007.safetensors`;
    const header: Record<string, unknown> = {};
    let end = 0;
    for (const [name, shape] of shapes.slice(shard * perShard, (shard + 1) * perShard)) {
      const bytes = shape.reduce((a, b) => a * b, 2);
      header[name] = { dtype: "F16", shape, data_offsets: [end, end + bytes] };
      end += bytes;
      map[name] = file;
    }
    const text = Buffer.from(JSON.stringify(header));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(text.length));
    const handle = await open(join(folder, file), "w");
    await handle.write(Buffer.concat([length, text]));
    await handle.truncate(8 + text.length + end);
    await handle.close();
  }
  await writeFile(join(folder, "model.safetensors.index.json"), JSON.stringify({ weight_map: map }));
  await writeFile(join(folder, "config.json"), JSON.stringify({ model_type: "gpt_bigcode" }));
}

async function measured(args: readonly string[]): Promise<{ open: number; rss: number }> {
  return JSON.parse((await run(process.execPath, args)).stdout);
}

/** What opening a 15B checkpoint costs: time within the process, and memory over an empty one of the same round. */
export const checkpointOpen: Case = {
  name: "checkpoint-open",
  title: "Opening a sharded 15B checkpoint (sparse files)",
  metrics: [
    { key: "open", unit: "ms", better: "lower", bar: 1 },
    { key: "over", unit: "MB", better: "lower", bar: 1 },
  ],
  rounds: 10,
  baseline: "allowed",
  sides: async () => {
    const folder = await mkdtemp(join(tmpdir(), "bench-open-"));
    return [
      {
        name: "openCheckpoint",
        detail: "7 shards, 31 GB; peak memory over an empty Node process, the package itself included",
        prepare: () => writeSparse(folder),
        run: async () => {
          const [opened, empty] = [await measured([opener, folder]), await measured([opener])];
          return { open: opened.open, over: opened.rss - empty.rss };
        },
        close: () => rm(folder, { recursive: true }),
      },
      { name: "allowed", detail: "100 ms and 40 MB, by decree", run: async () => ({ open: 100, over: 40 }) },
    ];
  },
};

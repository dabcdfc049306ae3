import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { nativeCodecs, tuneNativeCodecs } from "@llm/runtime-native/codecs";
import { codecOf, f16ToF32, toF16, useFastCodecs } from "@llm/tensor";
import type { Case, Side } from "../case.ts";

const run = promisify(execFile);
const ROWS = 1024;
const COLUMNS = 4096;
const MEGABYTES = (2 * ROWS * COLUMNS) / 1e6; // of fp16

const FORMATS = [
  "q8_0",
  "q4_0",
  "int8",
  "mxint8",
  "int4",
  "matmulnbits8",
  "mxfp6_e2m3",
  "mxfp6_e3m2",
  "mxfp4",
  "gptq",
  "awq",
  "bm1684x_w4",
  "bm1684x_w8",
  "bm1684x_w8_channel",
] as const;

/** The same from fp16 in a file, vectorised; not for every format. */
const PYTHON = `
import json, sys, time
import numpy as np
from gguf import GGMLQuantizationType as T
from gguf.quants import quantize
rows, columns = map(int, sys.argv[2:4])
weights = np.fromfile(sys.argv[1], np.float16).reshape(rows, columns)

def int8(x):
    scale = (np.abs(x).max(-1, keepdims=True) / 127).astype(np.float16).astype(np.float32)
    return np.clip(np.rint(x / scale), -127, 127).astype(np.int8)

def mxint8(x):
    blocks = x.reshape(rows, -1, 32)
    exponent = np.frexp(np.abs(blocks).max(-1, keepdims=True))[1] - 1
    return np.clip(np.rint(np.ldexp(blocks, 6 - exponent)), -127, 127).astype(np.int8)

makers = {"q8_0": lambda x: quantize(x, T.Q8_0), "q4_0": lambda x: quantize(x, T.Q4_0), "int8": int8, "mxint8": mxint8}
rates = {}
for name, make in makers.items():
    start = time.process_time()
    make(weights.astype(np.float32))
    rates[name] = weights.nbytes / 1e6 / (time.process_time() - start)
print(json.dumps(rates))
`;

/** Rounding weights to nearest, by the addon on one core, against this package's own loops, numpy and the gguf package. */
export const formats: Case = {
  name: "formats",
  title: `Encoding ${MEGABYTES.toFixed(1)} MB of fp16 weights, by processor time`,
  metrics: FORMATS.map((key) => ({ key, unit: "MB/s of fp16", better: "higher", limit: 150 })),
  rounds: 7,
  baseline: "TypeScript",
  sides: async () => {
    const folder = await mkdtemp(join(tmpdir(), "bench-formats-"));
    const file = join(folder, "weights");
    const weights = toF16(
      Float32Array.from({ length: ROWS * COLUMNS }, () => (Math.random() + Math.random() - 1) * 0.05),
    );
    const encode = (format: string, fast: boolean): number => {
      useFastCodecs(fast ? nativeCodecs : undefined);
      const start = process.cpuUsage();
      codecOf({ format }).encode(f16ToF32(weights), ROWS, COLUMNS);
      const { user, system } = process.cpuUsage(start);
      return (1e6 * MEGABYTES) / (user + system);
    };
    const side = (name: string, detail: string, fast: boolean): Side => ({
      name,
      detail,
      prepare: async () => {
        tuneNativeCodecs({ threads: 1 });
        for (let warm = 0; warm < 3; warm++) for (const format of FORMATS) encode(format, fast);
      },
      run: async () => Object.fromEntries(FORMATS.map((format) => [format, encode(format, fast)])),
    });
    const python = process.env.LLM_BENCH_PYTHON ?? "python3";
    return [
      side("addon", "@llm/runtime-native's loops, one thread", true),
      side("TypeScript", "@llm/tensor's own loops", false),
      {
        name: "numpy",
        detail: `${python}: gguf.quants.quantize, and numpy for int8 and MXINT8 (pip install gguf; LLM_BENCH_PYTHON names another interpreter)`,
        prepare: () => writeFile(file, new Uint8Array(weights.buffer)),
        close: () => rm(folder, { recursive: true }),
        run: async () => JSON.parse((await run(python, ["-c", PYTHON, file, `${ROWS}`, `${COLUMNS}`])).stdout),
      },
    ];
  },
};

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Case, Measurement, Side } from "../case.ts";

const script = fileURLToPath(new URL("./graph-process.ts", import.meta.url));
const run = promisify(execFile);

/** Each round is a process of its own: nothing is warm, and its memory is its own. */
async function measure(model: string): Promise<Measurement> {
  const { stdout } = await run(process.execPath, [script, model]);
  return JSON.parse(stdout);
}

const side = (name: string, model: string, detail: string): Side => ({ name, detail, run: () => measure(model) });

/** From a config to a checked graph, with nothing of the weights there. */
export const graph: Case = {
  name: "graph",
  title: "Graph of a config, built and checked against its spec",
  metrics: [
    { key: "ms", unit: "ms", better: "lower", limit: 300 },
    { key: "megabytes", unit: "MB", better: "lower", limit: 150 },
    { key: "msPerBlock", unit: "ms", better: "lower" },
  ],
  rounds: 10,
  baseline: "Llama 70B",
  sides: async () => [
    side("StarCoder 15B", "starcoder", "40 blocks; megabytes over an empty process"),
    side("Llama 70B", "llama70b", "80 blocks"),
  ],
};

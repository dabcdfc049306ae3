import { readFileSync } from "node:fs";
import { join } from "node:path";
import { demoModelFolder } from "@llm/demo-model";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DemoServer, demoServer } from "../testing/demo-server.ts";
import { runTool, toolFolder } from "../testing/run-tool.ts";

const STREAMS = [1, 4, 16, 64];
/** Answers at each number of streams. */
const REQUESTS = 64;

const { folder, remove } = toolFolder();
let server: DemoServer;
beforeAll(async () => {
  server = await demoServer({}, 16);
});
afterAll(async () => {
  await server.app.close();
  remove();
});

interface Figures {
  readonly successful: {
    readonly mean: number;
    readonly median: number;
    readonly percentiles: { readonly p95: number };
  };
}
interface Benchmark {
  readonly config: { readonly strategy: { readonly streams: number } };
  readonly metrics: {
    readonly request_totals: { readonly successful: number; readonly errored: number };
    readonly requests_per_second: Figures;
    readonly output_tokens_per_second: Figures;
    readonly time_to_first_token_ms: Figures;
    readonly inter_token_latency_ms: Figures;
  };
}

/** A line of the table in docs/server.md. */
function lineOf({ config, metrics }: Benchmark): string {
  const { time_to_first_token_ms: first, inter_token_latency_ms: between } = metrics;
  const cells = [
    config.strategy.streams,
    metrics.request_totals.successful,
    metrics.requests_per_second.successful.mean.toFixed(1),
    metrics.output_tokens_per_second.successful.mean.toFixed(0),
    ...[first, between].flatMap(({ successful: s }) => [s.median.toFixed(1), s.percentiles.p95.toFixed(1)]),
  ];
  return `| ${cells.join(" | ")} |`;
}

describe("GuideLLM", () => {
  it(`sweeps over ${STREAMS.join(", ")} streams without an error`, { timeout: 1_200_000 }, async () => {
    const report = join(folder, "report.json");
    const backend = `kind=openai_http,target=${server.address},model=demo,request_format=/v1/completions`;
    await runTool(
      "guidellm",
      [
        ...["run", "--disable-console", "--backend", backend],
        ...["--profile", "kind=concurrent", "--override", "profile.streams", STREAMS.join(",")],
        ...["--constraint", `kind=max_requests,count=${REQUESTS}`],
        ...["--tokenizer", `kind=hf_auto,model=${demoModelFolder}`],
        ...["--data", "kind=synthetic_text,prompt_tokens=128,output_tokens=32"],
        ...["--output", `kind=json,path=${report}`],
      ],
      folder,
    );
    const { benchmarks } = JSON.parse(readFileSync(report, "utf8")) as { readonly benchmarks: readonly Benchmark[] };
    process.stdout.write(`${benchmarks.map(lineOf).join("\n")}\n`);
    expect(benchmarks.map(({ config }) => config.strategy.streams)).toEqual(STREAMS);
    for (const { metrics } of benchmarks) {
      expect(metrics.request_totals.errored).toBe(0);
      expect(metrics.request_totals.successful).toBe(REQUESTS);
    }
  });
});

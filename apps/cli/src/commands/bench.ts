import { benchSession, openRunnable } from "@llm/toolchain";
import type { Call, Outcome } from "../definition/command.ts";
import type { Io } from "../output/io.ts";
import { bytes, seconds } from "../output/units.ts";
import { runnableOptions, thingOf } from "./runnable-options.ts";

/** `llm bench` */
export async function run(call: Call, io: Io): Promise<Outcome> {
  const { promptTokens = 512, gen = 128, benchBatch: batchSize = 1, depth = 0, repeat = 5 } = call.options;
  const began = performance.now();
  const { thing, model } = call.args;
  if (thing !== undefined && model !== undefined)
    io.note("--model-name changes nothing: what is measured needs no tokenizer");
  const opened = await openRunnable(thingOf(call), { ...runnableOptions(call, io), batchSize });
  const loadSeconds = (performance.now() - began) / 1000;
  try {
    const report = await benchSession(opened.session, {
      prompt: promptTokens,
      generate: gen,
      batch: batchSize,
      depth,
      repeat,
      signal: io.signal,
      onTest: (name, done) => {
        if (done === 0) io.progress.begin("bench", name);
        io.progress.update({ done, total: repeat, note: name });
        if (done === repeat) io.progress.close();
      },
    });
    const { card, target } = opened;
    const json = { model: card.name, target: target.id, batch: batchSize, depth, ...report, loadSeconds };
    const rows = report.tests.map(
      ({ name, tokensPerSecond: { mean, stdev } }) =>
        `${name.padEnd(14)} ${mean.toFixed(1).padStart(9)} ± ${stdev.toFixed(1)} tok/s`,
    );
    return {
      json,
      text: [...rows, `loaded in ${seconds(loadSeconds)}, ${bytes(report.peakRssBytes)} of memory at most`].join("\n"),
    };
  } finally {
    await opened.close();
  }
}

import {
  findTarget,
  type Model,
  parseLayers,
  readDump,
  tokenizerOf,
  type VerifyReport,
  verify,
  verifyPage,
} from "@llm/toolchain";
import type { Call, Outcome } from "../definition/command.ts";
import { DEFAULT_TARGET } from "../definition/options.ts";
import { UsageError } from "../exit.ts";
import type { Io } from "../output/io.ts";
import { seconds } from "../output/units.ts";
import { parseIds } from "../parse/value.ts";
import { checkPath } from "./given-file.ts";
import { openCalled } from "./open.ts";
import { checkOutput, problems, writeOutput } from "./output-file.ts";
import { onePrompt } from "./prompts.ts";

/** `llm verify` */
export async function run(call: Call, io: Io): Promise<Outcome> {
  const { layers, against, reportHtml } = call.options;
  const { target } = await findTarget(call.target ?? DEFAULT_TARGET);
  const said = saidTokens(call.options);
  if (layers !== undefined) parseLayers(layers); // before a model is fetched
  if (against !== undefined) await checkPath("--against", against);
  await checkOutput("--html", reportHtml);
  const model = await openCalled(call, io);
  try {
    const ids = typeof said === "string" ? await encoded(model, said) : said;
    io.progress.begin("verify", `${model.name} on ${target.title}`);
    const report = await verify(model, target, {
      ...(layers === undefined ? {} : { layers }),
      ...(against === undefined ? {} : { against: await readDump(against) }),
      ...(ids === undefined ? {} : { ids }),
      targetOptions: call.targetOptions,
      env: io.env,
      signal: io.signal,
    });
    io.progress.end({ seconds: report.seconds, failed: !report.ok });
    const page = () => verifyPage(model.name, target.title, report);
    const unwritten = await writeOutput("--html", reportHtml, page);
    const { ok, blocks, logits } = report;
    const json = { model: model.name, target: target.id, ...report, blocks, logits, ok };
    return { json, text: table(report), ...problems(ok ? undefined : failure(report), unwritten) };
  } finally {
    await model.close();
  }
}

/** What the user gives to verify with: ids, or text. */
function saidTokens({ ids, prompt: prompts }: Call["options"]): Int32Array | string | undefined {
  const prompt = onePrompt(prompts);
  if (ids !== undefined && prompt !== undefined)
    throw new UsageError("--ids and --prompt say the same thing; leave one of them out");
  return ids === undefined ? prompt : parseIds(ids, "--ids");
}

async function encoded({ checkpoint, card }: Model, text: string): Promise<Int32Array> {
  return (await tokenizerOf(checkpoint)).encode(text).subarray(0, card.context);
}

function failure({ blocks, logits }: VerifyReport): string {
  const first = blocks.find(({ ok }) => !ok)?.name ?? "the head";
  return `the exported graph differs from what it is compared with, first in ${first}${logits.ok ? ", though its logits hold" : ""}`;
}

function table({ blocks, logits, runner, tokens, seconds: took }: VerifyReport): string {
  const width = Math.max(9, ...blocks.map(({ name }) => name.length));
  const line = (name: string, ...[mse, maxAbs, allowed, cosine, mark = ""]: readonly string[]) =>
    `${name.padEnd(width)}  ${mse.padStart(9)}  ${maxAbs.padStart(9)}  ${allowed.padStart(9)}  ${cosine.padStart(10)}  ${mark}`.trimEnd();
  const row = ({ name, mse, maxAbs, allowed, cosine, ok }: VerifyReport["blocks"][number]) =>
    line(name, ...[mse, maxAbs, allowed].map((error) => error.toExponential(2)), cosine.toFixed(8), ok ? "✓" : "✗");
  return [
    line("", "mse", "max abs", "allowed", "cosine"),
    ...blocks.map(row),
    row({ ...logits, name: "logits" }),
    "",
    `${tokens} tokens on ${runner}, the same best token after ${(logits.top1Agreement * 100).toFixed(0)} % of them, ${seconds(took)}`,
  ].join("\n");
}

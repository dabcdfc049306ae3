import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import {
  build,
  findTarget,
  type LogitsRequest,
  type LogitsResult,
  logitsTensors,
  type Model,
  openReference,
  openTokenizer,
  prepare,
  referenceLogits,
  runExposed,
  sessionLogits,
  withFormats,
  writeSafetensors,
} from "@llm/toolchain";
import type { Call, Outcome } from "../definition/command.ts";
import { DEFAULT_TARGET } from "../definition/options.ts";
import { UsageError } from "../exit.ts";
import type { Io } from "../output/io.ts";
import { parseIds } from "../parse/value.ts";
import { buildProgress } from "./build-progress.ts";
import { modelOptions } from "./model-options.ts";
import { openCalled } from "./open.ts";
import { checkOutput } from "./output-file.ts";
import { onePrompt } from "./prompts.ts";

/** `--target` for the plain interpreter. */
const REFERENCE = "reference";

/** `llm logits` */
export async function run(call: Call, io: Io): Promise<Outcome> {
  const { hidden = false, greedyTokens, out } = call.options;
  const target = call.target ?? DEFAULT_TARGET;
  const ids = await tokensOf(call, io);
  const request: LogitsRequest = {
    ids,
    hidden,
    signal: io.signal,
    ...(greedyTokens === undefined ? {} : { greedy: greedyTokens }),
  };
  await checkOutput("--out", out);
  const model = await openCalled(call, io);
  try {
    const result =
      target === REFERENCE ? await onReference(model, call, request) : await onDevice(model, target, call, io, request);
    const file = resolve(out ?? join(tmpdir(), `llm-logits-${randomUUID()}.safetensors`));
    await writeSafetensors(file, logitsTensors(result, model.card));
    const { argmax, greedy } = result;
    const shape = [ids.length, model.card.vocab];
    const json = { file, shape, argmax, ...(greedy === undefined ? {} : { greedy }), target };
    const text = [
      file,
      `logits [${shape.join(", ")}]`,
      `argmax ${argmax.join(",")}`,
      ...(greedy ? [`greedy ${greedy.join(",")}`] : []),
    ];
    return { json, text: text.join("\n") };
  } finally {
    await model.close();
  }
}

async function tokensOf(call: Call, io: Io): Promise<Int32Array> {
  const { ids } = call.options;
  const prompt = onePrompt(call.options.prompt);
  if (ids !== undefined && prompt !== undefined)
    throw new UsageError("--ids and --prompt say the same thing; leave one of them out");
  if (ids !== undefined) return parseIds(ids, "--ids");
  if (prompt === undefined) throw new UsageError("llm logits needs --ids 1,2,3 or --prompt TEXT");
  return (await openTokenizer(call.args.model, modelOptions(call, io))).encode(prompt);
}

async function onReference(model: Model, call: Call, request: LogitsRequest): Promise<LogitsResult> {
  const context = request.ids.length + (request.greedy ?? 0);
  const graph = withFormats(model.graph, call.targetOptions);
  return referenceLogits(await openReference({ graph, weights: model.weights }, { context }), model.card, request);
}

async function onDevice(model: Model, id: string, call: Call, io: Io, request: LogitsRequest): Promise<LogitsResult> {
  const { target } = await findTarget(id);
  const prepared = await prepare(model, target, call.targetOptions);
  io.progress.begin("export", model.name);
  const { artefact, seconds, upToDate } = await build(prepared, {
    env: io.env,
    signal: io.signal,
    onEvent: buildProgress(io.progress),
  });
  if (upToDate) io.progress.close();
  else io.progress.end({ seconds });
  const session = await target.open(artefact, prepared.options);
  try {
    const result = await sessionLogits(session, model.card, request);
    if (!request.hidden) return result;
    const { blocks } = await runExposed(model, model.graph, target, request.ids, {
      targetOptions: call.targetOptions,
      env: io.env,
      signal: io.signal,
    });
    return { ...result, hidden: blocks.map(({ values }) => values) };
  } finally {
    await session.close();
  }
}

import { Generator } from "@llm/toolchain";
import type { Call, Outcome } from "../definition/command.ts";
import { UsageError } from "../exit.ts";
import type { Io } from "../output/io.ts";
import { automationFigures } from "./automation.ts";
import { answersAtOnce, generateFor, generationOptions, timingsLine } from "./generate.ts";
import { promptsOf } from "./prompts.ts";
import { runnableOptions } from "./runnable-options.ts";

/** `llm infer` */
export async function run(call: Call, io: Io): Promise<Outcome> {
  const prompts = promptsOf(call.options, io.note);
  if (!prompts)
    throw new UsageError('llm infer needs a prompt: --prompt "def fibonacci(n):" or --prompts-txt-file-path FILE');
  const { force } = call.options;
  const generation = generationOptions(call.options, io.note);
  const generator = await Generator.fromPretrained(call.args.model, {
    ...runnableOptions(call, io),
    ...(force === undefined ? {} : { force }),
    batchSize: prompts.length * answersAtOnce(call.options),
    verify: true,
    sample: prompts[0]!,
  });
  try {
    const began = performance.now();
    io.note("");
    const { completions, timings } = await generateFor(generator, { prompts, generation }, call, io);
    if (call.options.automation) io.write(await automationFigures(timings, completions));
    else {
      io.note("");
      io.note(timingsLine(timings, completions));
    }
    const stages = [
      ...generator.runnable.stages,
      { name: "run", skipped: false, seconds: (performance.now() - began) / 1000 },
    ];
    const [first] = completions;
    return {
      json: {
        text: first!.text,
        tokens: first!.tokens,
        completions,
        stages,
        timings,
        artefact: generator.runnable.artefact,
      },
    };
  } finally {
    await generator.close();
  }
}

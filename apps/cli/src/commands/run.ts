import { Generator } from "@llm/toolchain";
import type { Call, Outcome } from "../definition/command.ts";
import type { Io } from "../output/io.ts";
import { automationFigures } from "./automation.ts";
import { answersAtOnce, generateFor, generationOptions, timingsLine } from "./generate.ts";
import { promptsOf } from "./prompts.ts";
import { runnableOptions, thingOf } from "./runnable-options.ts";

/** What is said when nothing is, as in the library that this program replaces. */
const PROMPT = "My name is";

/** `llm run` */
export async function run(call: Call, io: Io): Promise<Outcome> {
  const prompts =
    promptsOf(call.options, io.note) ??
    promptsOf({ ...call.options, prompt: [call.options.suffix === undefined ? PROMPT : ""] }, io.note)!;
  const generation = generationOptions(call.options, io.note);
  const generator = await Generator.fromPretrained(thingOf(call), {
    ...runnableOptions(call, io),
    batchSize: prompts.length * answersAtOnce(call.options),
  });
  try {
    const { completions, timings } = await generateFor(generator, { prompts, generation }, call, io);
    if (call.options.automation) io.write(await automationFigures(timings, completions));
    else {
      io.note("");
      io.note(timingsLine(timings, completions));
    }
    return { json: { completions, timings } };
  } finally {
    await generator.close();
  }
}

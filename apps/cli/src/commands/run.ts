import { Generator, madeBatch } from "@llm/toolchain";
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
  const asked = { ...call.options, ...(await batchOf(call, io)) };
  const prompts =
    promptsOf(asked, io.note) ?? promptsOf({ ...asked, prompt: [asked.suffix === undefined ? PROMPT : ""] }, io.note)!;
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

/** As many prompts as what runs was made for, where nothing says how many. */
async function batchOf(call: Call, { env }: Io): Promise<Pick<Call["options"], "batchSize">> {
  const { batchSize, prompt = [] } = call.options;
  const thing = thingOf(call);
  if (batchSize !== undefined || prompt.length > 1 || thing === undefined) return {};
  const made = await madeBatch(thing, env);
  return made === undefined ? {} : { batchSize: made };
}

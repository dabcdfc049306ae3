import { openTokenizer } from "@llm/toolchain";
import type { Call, Outcome } from "../definition/command.ts";
import { UsageError } from "../exit.ts";
import type { Io } from "../output/io.ts";
import { checkFile } from "./given-file.ts";
import { mapLines, readJsonLines } from "./jsonl.ts";
import { modelOptions } from "./model-options.ts";

/** `llm tokenize` */
export async function run(call: Call, io: Io): Promise<Outcome> {
  const { args, options } = call;
  if (options.in !== undefined) {
    if (args.text !== undefined)
      throw new UsageError("TEXT and --in FILE both say what to tokenize; leave one of them out");
    await checkFile("--in", options.in);
  }
  const tokenizer = await openTokenizer(args.model, modelOptions(call, io));
  const encode = (text: string) => [...tokenizer.encode(text, { addSpecialTokens: options.special ?? true })];
  if (options.in !== undefined) {
    const lines = readJsonLines(options.in, "a JSON string", (value) =>
      typeof value === "string" ? value : undefined,
    );
    return { json: { ids: await mapLines(lines, encode, io) } };
  }
  const text = args.text ?? (await io.readStdin());
  if (text === undefined) throw new UsageError("llm tokenize needs a text, --in FILE or something on stdin");
  const ids = encode(text);
  return { json: { ids }, text: JSON.stringify(ids) };
}

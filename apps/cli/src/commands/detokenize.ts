import { openTokenizer } from "@llm/toolchain";
import type { Call, Outcome } from "../definition/command.ts";
import { UsageError } from "../exit.ts";
import type { Io } from "../output/io.ts";
import { parseIds } from "../parse/value.ts";
import { checkFile } from "./given-file.ts";
import { mapLines, readJsonLines } from "./jsonl.ts";
import { modelOptions } from "./model-options.ts";

/** `llm detokenize` */
export async function run(call: Call, io: Io): Promise<Outcome> {
  const { args, options } = call;
  if (options.in !== undefined) {
    if (args.ids !== undefined)
      throw new UsageError("IDS and --in FILE both say what to detokenize; leave one of them out");
    await checkFile("--in", options.in);
  }
  const tokenizer = await openTokenizer(args.model, modelOptions(call, io));
  const decode = (ids: ArrayLike<number>) => {
    const strange = Array.from(ids).find((id) => tokenizer.idToToken(id) === undefined);
    if (strange !== undefined) throw new UsageError(`token ${strange} is not in the vocabulary`);
    return tokenizer.decode(ids, { skipSpecialTokens: !(options.special ?? true) });
  };
  if (options.in !== undefined) {
    const lines = readJsonLines(options.in, "a JSON array of token ids", idArray);
    return { json: { text: await mapLines(lines, decode, io) } };
  }
  const said = args.ids ?? (await io.readStdin());
  if (said === undefined) throw new UsageError("llm detokenize needs ids, --in FILE or something on stdin");
  const text = decode(parseIds(said, "llm detokenize"));
  return { json: { text }, text };
}

function idArray(value: unknown): number[] | undefined {
  return Array.isArray(value) && value.every((id) => Number.isInteger(id) && id >= 0) ? value : undefined;
}

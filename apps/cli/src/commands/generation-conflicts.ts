import { flagOf } from "../definition/option.ts";
import { OPTIONS, type OptionValues } from "../definition/options.ts";
import { UsageError } from "../exit.ts";

type Options = Partial<OptionValues>;
type Key = keyof OptionValues;

/** What is only asked of drawing. */
const DRAWING = ["temperature", "topK", "topP", "minP", "typicalP"] as const satisfies readonly Key[];

/** What a search through several texts can't do: it draws nothing, guesses nothing, and no text of it is the one answer before its end. */
const NOT_WITH_BEAMS: readonly Key[] = [
  ...DRAWING,
  "speculate",
  "draftModel",
  "stop",
  "logprobs",
  "guidanceScale",
  "jsonSchema",
  "regex",
  "choice",
  "grammar",
];

/** What shortens a prompt: one with a suffix has its parts where they belong. */
const CUTTING: readonly Key[] = ["inputLen", "truncatePrompt"];

/** Refuses options that can't be had together, before a model is fetched, and says of others that they change nothing. */
export function checkTogether(options: Options, note: (line: string) => void): void {
  const { numBeams = 1, guidanceScale = 1 } = options;
  const inTheWay = numBeams > 1 ? NOT_WITH_BEAMS.find((key) => says(options, key)) : undefined;
  if (inTheWay)
    throw new UsageError(`${flag(inTheWay)} can't be had with ${flag("numBeams")} ${numBeams}; leave one of them out`);
  const cut = options.suffix === undefined ? undefined : CUTTING.find((key) => options[key] !== undefined);
  if (cut) throw new UsageError(`${flag(cut)} can't be had with ${flag("suffix")}; leave one of them out`);
  if (options.greedy)
    for (const key of DRAWING) if (says(options, key)) note(`${flag(key)} changes nothing with ${flag("greedy")}`);
  if (options.lengthPenalty !== undefined && numBeams === 1) note(useless("lengthPenalty", "numBeams"));
  if (options.negativePrompt !== undefined && guidanceScale === 1) note(useless("negativePrompt", "guidanceScale"));
  if (options.logprobs !== undefined && !options.json) note(useless("logprobs", "json"));
}

/** 0 and false ask for nothing: --temperature 0 is what a search does anyway. */
function says(options: Options, key: Key): boolean {
  const value = options[key];
  if (key === "logprobs") return value !== undefined;
  if (key === "topP" || key === "typicalP" || key === "guidanceScale") return value !== undefined && value !== 1;
  return value !== undefined && value !== 0 && value !== false;
}

function useless(key: Key, without: Key): string {
  return `${flag(key)} changes nothing without ${flag(without)}`;
}

function flag(key: Key): string {
  return `--${flagOf(key, OPTIONS[key])}`;
}

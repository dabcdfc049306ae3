import { expect, test } from "vitest";
import { UsageError } from "../exit.ts";
import { checkTogether } from "./generation-conflicts.ts";

function notesOf(options: Parameters<typeof checkTogether>[0]): string[] {
  const notes: string[] = [];
  checkTogether(options, (line) => void notes.push(line));
  return notes;
}

test("what a beam search can't do is refused by its flag", () => {
  for (const asked of [{ temperature: 1 }, { topK: 5 }, { speculate: true }, { regex: "a" }, { logprobs: 0 }])
    expect(() => notesOf({ numBeams: 4, ...asked })).toThrow(UsageError);
  expect(() => notesOf({ numBeams: 4, guidanceScale: 2 })).toThrow(
    "--guidance-scale can't be had with --num-beams 4; leave one of them out",
  );
});

test("a prompt that has a suffix isn't cut", () => {
  expect(() => notesOf({ suffix: "", inputLen: 8 })).toThrow("--input-len can't be had with --suffix");
  expect(() => notesOf({ suffix: "x", truncatePrompt: "left" })).toThrow(UsageError);
  expect(notesOf({ suffix: "x" })).toEqual([]);
});

test("what asks for nothing is in nobody's way", () => {
  const asked = { temperature: 0, topP: 1, topK: 0, guidanceScale: 1, speculate: false, lengthPenalty: 0.8 };
  expect(notesOf({ numBeams: 4, ...asked })).toEqual([]);
  expect(notesOf({ numBeams: 1, temperature: 1, regex: "a", logprobs: 2, json: true })).toEqual([]);
});

test("what changes nothing is told of", () => {
  expect(notesOf({ lengthPenalty: 2, negativePrompt: "no", logprobs: 2 })).toEqual([
    "--length-penalty changes nothing without --num-beams",
    "--negative-prompt changes nothing without --guidance-scale",
    "--logprobs changes nothing without --json",
  ]);
  expect(notesOf({ greedy: true, temperature: 1, topP: 1, topK: 4 })).toEqual([
    "--temperature changes nothing with --greedy",
    "--top-k changes nothing with --greedy",
  ]);
});

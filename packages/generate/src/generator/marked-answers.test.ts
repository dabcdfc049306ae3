import { openNull } from "@llm/target/null";
import { describe, expect, it } from "vitest";
import { AnswerParser } from "../answer/answer-parser.ts";
import { callGrammar } from "../answer/call-grammar.ts";
import { type AnswerFormats, callFormat } from "../answer/formats.ts";
import { MARKED_VOCAB, markedTokenizer } from "../testing/marked-tokenizer.ts";
import { Generator } from "./generator.ts";

const session = () => openNull({ like: "cpu", context: 512, prompt: 16, vocab: MARKED_VOCAB });
const open = () => new Generator({ session: session(), tokenizer: markedTokenizer });
const id = (marker: string): number => markedTokenizer.tokenToId!(marker)!;

const reasoning = { open: "[THINK]", close: "[/THINK]", begun: true };
const tools = [
  { name: "now" },
  { name: "add", parameters: { properties: { a: { type: "integer" } }, required: ["a"] } },
];
const calls = callFormat("mistral-args");

function read(formats: AnswerFormats, text: string) {
  const parser = new AnswerParser(formats);
  const parts = [...parser.push(text), ...parser.end()];
  const said = (kind: string) => parts.map((part) => (part.kind === kind && "text" in part ? part.text : "")).join("");
  const names = parts.flatMap((part) => (part.kind === "call" ? [part.name] : []));
  return { text: said("text"), reasoning: said("reasoning"), arguments: said("arguments"), names };
}

describe("an answer whose marks are control tokens", () => {
  it("thinks first, and then has the form", async () => {
    const formats = { reasoning };
    const { text, tokens } = await open().generate("[THINK]", {
      choice: ["yes", "no"],
      answerFormats: formats,
      maxNewTokens: 40,
      temperature: 1,
    });
    // The null model would think for ever: what is left of the room brings it to the answer.
    expect(tokens.filter((token) => token === id("[/THINK]"))).toHaveLength(1);
    const answer = read(formats, text);
    expect(["yes", "no"]).toContain(answer.text);
    expect(answer.reasoning.length).toBeGreaterThan(10);
    expect(tokens.length).toBeLessThanOrEqual(40);
  });

  it("may leave the thinking out where the prompt hasn't begun it", async () => {
    const formats = { reasoning: { ...reasoning, begun: false } };
    const ask = (logitBias: Record<number, number>) =>
      open().generate("x", { choice: ["yes", "no"], answerFormats: formats, maxNewTokens: 30, logitBias });
    const thought = await ask({ [id("[THINK]")]: 50 });
    expect(thought.tokens[0]).toBe(id("[THINK]"));
    const told = await ask({ [id("[THINK]")]: -50 });
    expect(["yes", "no"]).toContain(told.text);
    for (const { text } of [thought, told]) expect(["yes", "no"]).toContain(read(formats, text).text);
  });

  it("calls with the tokens that the model knows, and has none of them in its arguments", async () => {
    const formats = { calls, tools, reasoning };
    const { text, tokens } = await open().generate("x", {
      form: callGrammar(calls, tools, { parallel: false }),
      answerFormats: formats,
      maxNewTokens: 60,
    });
    const marks = tokens.filter((token) => markedTokenizer.isSpecial!(token) && token !== markedTokenizer.eosTokenId);
    expect(marks).toEqual([id("[/THINK]"), id("[TOOL_CALLS]"), id("[ARGS]")]);
    const { names, arguments: given } = read(formats, text);
    expect(names).toHaveLength(1);
    expect(JSON.parse(given)).toBeTypeOf("object");
  });

  it("keeps these in its text, and no others", async () => {
    const logitBias = { [id("[ARGS]")]: 30, [id("<pad>")]: 30 };
    const ask = (answerFormats?: AnswerFormats) =>
      open().generate("x", {
        maxNewTokens: 20,
        temperature: 1,
        logitBias,
        ...(answerFormats ? { answerFormats } : {}),
      });
    const kept = await ask({ calls });
    expect(kept.tokens).toContain(id("<pad>"));
    expect(kept.text).toContain("[ARGS]");
    expect(kept.text).not.toContain("<pad>");
    const plain = await ask();
    expect(plain.tokens).toEqual(kept.tokens);
    expect(plain.text).not.toContain("[ARGS]");
  });

  it("needs no word of all this in a conversation: the template shows it", async () => {
    const tokenizer = { ...markedTokenizer, applyChatTemplate: () => "hello[THINK]" };
    const generator = new Generator({ session: session(), tokenizer });
    const answer = generator.chat([{ role: "user", content: "x" }], { choice: ["yes", "no"], maxNewTokens: 30 });
    expect(answer.formats).toEqual({ reasoning });
    expect(["yes", "no"]).toContain(read(answer.formats, (await answer.result).text).text);
  });
});

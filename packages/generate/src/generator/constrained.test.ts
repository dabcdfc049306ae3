import { GrammarError } from "@llm/grammar";
import { NULL_DEVICES, openNull } from "@llm/target/null";
import { describe, expect, it } from "vitest";
import { GenerateError } from "../error.ts";
import { BYTE_VOCAB, byteTokenizer, END } from "../testing/byte-tokenizer.ts";
import type { TextTokenizer } from "../text/tokenizer.ts";
import { Generator } from "./generator.ts";

function open(like: (typeof NULL_DEVICES)[number] = "cpu", tokenizer: TextTokenizer = byteTokenizer): Generator {
  return new Generator({ session: openNull({ like, context: 256, prompt: 16, vocab: BYTE_VOCAB }), tokenizer });
}

const person = {
  type: "object",
  properties: { name: { type: "string", maxLength: 12 }, age: { type: "integer", minimum: 0, maximum: 150 } },
  required: ["name", "age"],
};

describe("an answer that is held to a form", () => {
  // The null model knows nothing: whatever order there is in the answer comes from the form.
  it.each(NULL_DEVICES)("has it, whatever the model would say: %s", async (like) => {
    const generator = open(like);
    const [schema, text, regex, choice, grammar, json] = await generator.generate(
      ["a", "b", "c", "d", "e", "f"],
      [
        { jsonSchema: person, maxNewTokens: 120 },
        { jsonSchema: JSON.stringify(person), maxNewTokens: 120, temperature: 1, seed: 3 },
        { regex: "[0-9]{3}-[A-F]{2}" },
        { choice: ["yes", "no"] },
        { grammar: 'root ::= "<" [a-c]{4} ">"' },
        { json: true, maxNewTokens: 60, temperature: 1 },
      ],
    );
    for (const { text: answer } of [schema, text]) {
      const { name, age } = JSON.parse(answer);
      expect(name).toBeTypeOf("string");
      expect(age).toBeGreaterThanOrEqual(0);
    }
    expect(regex.text).toMatch(/^[0-9]{3}-[A-F]{2}$/);
    expect(["yes", "no"]).toContain(choice.text);
    expect(grammar.text).toMatch(/^<[a-c]{4}>$/);
    expect(JSON.parse(json.text)).toBeTypeOf("object");
    // Nothing can follow: the answer is over without a token that says so.
    expect(regex).toMatchObject({ finishReason: "stop", usage: { completionTokens: 6 } });
  });

  it("may be a RegExp, whose flags say nothing else", async () => {
    const generator = open();
    const [one, other] = await generator.generate(["a", "a"], [{ regex: /[0-9]{3}/gu }, { regex: /[A-F]{2}/ }]);
    expect([one!.text, other!.text]).toEqual([
      expect.stringMatching(/^[0-9]{3}$/),
      expect.stringMatching(/^[A-F]{2}$/),
    ]);
    expect(() => generator.stream("a", { regex: /[a-f]/i })).toThrow("a regex can't be held to with the flag i");
    await generator.close();
  });

  it("is complete within the tokens there are", async () => {
    const generator = open();
    const schema = { type: "array", items: { type: "string" } };
    for (const maxNewTokens of [2, 3, 7, 40]) {
      const { text, tokens } = await generator.generate("x", { jsonSchema: schema, maxNewTokens, temperature: 1 });
      expect(Array.isArray(JSON.parse(text))).toBe(true);
      expect(tokens.length).toBeLessThanOrEqual(maxNewTokens);
    }
    await expect(generator.generate("x", { regex: "a{30}", maxNewTokens: 20 })).rejects.toThrow(
      /needs up to 30 tokens more, and there is room for 20/,
    );
  });

  it("may end where the model ends it", async () => {
    const { text, finishReason } = await open().generate("x", { regex: "a+", logitBias: { [END]: 100 } });
    expect([text, finishReason]).toEqual(["a", "stop"]);
  });

  it("shares a batch with others", async () => {
    const generator = open();
    const [alone] = await generator.generate(["q"], [{ maxNewTokens: 12 }]);
    const [held, free] = await generator.generate(["p", "q"], [{ choice: ["one", "two"] }, { maxNewTokens: 12 }]);
    expect(["one", "two"]).toContain(held.text);
    expect(free.text).toBe(alone.text);
  });

  it("is refused by name where that can't be done", async () => {
    const generator = open();
    const ask = (options: object) => generator.generate("x", options);
    await expect(ask({ regex: "a", json: true })).rejects.toThrow("json and regex can't be asked for at once");
    await expect(ask({ jsonSchema: "{" })).rejects.toThrow("jsonSchema is not valid JSON");
    await expect(ask({ regex: "a", allow: () => undefined })).rejects.toThrow(/allow can't be given/);
    await expect(ask({ jsonSchema: false })).rejects.toThrow("no value is valid by the schema");
    await expect(ask({ jsonSchema: false, numBeams: 2 })).rejects.toThrow(/takes no jsonSchema/);
    await expect(ask({ jsonSchema: false, json: true })).rejects.toThrow(
      "jsonSchema and json can't be asked for at once",
    );
    await expect(ask({ jsonSchema: { not: {} } })).rejects.toThrow(GrammarError);
    const { tokenBytes: _, ...blind } = byteTokenizer;
    await expect(open("cpu", blind).generate("x", { json: true })).rejects.toThrow(GenerateError);
  });
});

import { openNull } from "@llm/target/null";
import { describe, expect, it } from "vitest";
import { Generator } from "../generator/generator.ts";
import { BYTE_VOCAB, byteTokenizer } from "../testing/byte-tokenizer.ts";
import type { ChatMessage, ChatTemplateOptions, TextTokenizer } from "../text/tokenizer.ts";
import type { TransformersTokenizer } from "../text/transformers.ts";
import { AnswerParser } from "./answer-parser.ts";
import { toolsAsText } from "./tools-as-text.ts";

const tool = { name: "weather", parameters: { type: "object", properties: { city: { type: "string" } } } };
const messages = [{ role: "user", content: "How is it in Rome?" }];

interface Told {
  messages: readonly ChatMessage[];
  options: ChatTemplateOptions | undefined;
}

/** A tokenizer whose template has this text, and what its template was told. */
function templated(chatTemplateSource: string): { readonly tokenizer: TextTokenizer; readonly told: Told[] } {
  const told: Told[] = [];
  const applyChatTemplate: NonNullable<TextTokenizer["applyChatTemplate"]> = (conversation, options) => {
    told.push({ messages: conversation, options });
    return "prompt";
  };
  return { tokenizer: { ...byteTokenizer, chatTemplateSource, applyChatTemplate }, told };
}

const open = (tokenizer: TextTokenizer | TransformersTokenizer): Generator =>
  new Generator({ session: openNull({ vocab: BYTE_VOCAB }), tokenizer });

describe("a conversation's tools", () => {
  it.each([[{ type: "function", function: tool }], [tool]])(
    "are told in words where the template shows none: %o",
    async (each) => {
      const { tokenizer, told } = templated("{% for m in messages %}<tool_call>{{ m.content }}{% endfor %}");
      const generator = open(tokenizer);
      const { formats, result } = generator.chat(messages, { tools: [each], maxNewTokens: 1 });
      expect(told).toHaveLength(1);
      expect(told[0]!.options).not.toHaveProperty("tools");
      const [{ content }] = told[0]!.messages as [ChatMessage];
      expect(content).toContain(JSON.stringify(tool));
      expect(content).toMatch(/How is it in Rome\?$/);
      expect(formats.calls?.id).toBe("json");
      const parser = new AnswerParser(formats);
      const other = '{"name": "Bob", "arguments": {}}';
      expect([...parser.push(other), ...parser.end()]).toEqual([{ kind: "text", text: other }]);
      await result;
      await generator.close();
    },
  );

  it("are the template's to show where it does, with calls as it shows them", async () => {
    const { tokenizer, told } = templated("{{ tools }}<tool_call>");
    const generator = open(tokenizer);
    const { formats, result } = generator.chat(messages, { tools: [tool], maxNewTokens: 1 });
    expect(told).toEqual([{ messages, options: { addGenerationPrompt: true, tools: [tool] } }]);
    expect(formats).toMatchObject({ calls: { id: "hermes" }, tools: [tool] });
    await result;
    await generator.close();
  });

  it.each(["{{ tools }}[TOOL_CALLS]", { default: "{{ messages }}", tool_use: "{{ tools }}[TOOL_CALLS]" }])(
    "are known from a template of transformers.js, too: %o",
    async (chat_template) => {
      let given: Record<string, unknown> = {};
      const generator = open({
        encode: (text: string) => [...new TextEncoder().encode(text)],
        decode: (ids: number[]) => String(ids),
        chat_template,
        apply_chat_template: (_: unknown, options: Record<string, unknown> = {}) => {
          given = options;
          return "prompt";
        },
      });
      const { formats, result } = generator.chat(messages, { tools: [tool], maxNewTokens: 1 });
      expect(given).toMatchObject({ tools: [tool] });
      expect(formats.calls?.id).toBe("mistral");
      await result;
      await generator.close();
    },
  );

  it("are none where the list is empty", async () => {
    const { tokenizer, told } = templated("{{ messages }}");
    const generator = open(tokenizer);
    const { formats, result } = generator.chat(messages, { tools: [], maxNewTokens: 1 });
    expect([told[0]!.messages, formats]).toEqual([messages, {}]);
    await result;
    await generator.close();
  });
});

it("writes calls as they are asked for, whether their arguments are text or not", () => {
  for (const given of [{ city: "Rome" }, '{"city":"Rome"}']) {
    const call = { role: "assistant", tool_calls: [{ function: { name: "weather", arguments: given } }] };
    expect(toolsAsText([call], [])[0]!.content).toBe('{"name":"weather","arguments":{"city":"Rome"}}');
  }
});

it("puts together what is said in parts, and nothing where nothing is", () => {
  const parts = (...texts: string[]) => texts.map((text) => ({ type: "text", text }));
  const call = { function: { name: "weather", arguments: "" } };
  const said = toolsAsText(
    [
      { role: "user", content: parts("How is it ", "in Rome?") },
      { role: "assistant", content: null, tool_calls: [call] },
      { role: "tool", name: "weather", content: parts("sunny") },
      { role: "tool", name: "weather", content: null },
      { role: "user", content: parts("And now?") },
    ],
    [tool],
  );
  expect(said.map(({ content }) => content)).toEqual([
    expect.stringMatching(/\n\nHow is it in Rome\?$/),
    '{"name":"weather","arguments":{}}',
    "Result of weather: sunny\nResult of weather: \nAnd now?",
  ]);
});

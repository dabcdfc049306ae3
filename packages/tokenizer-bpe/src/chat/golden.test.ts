import { readFileSync } from "node:fs";
import { goldenRoot } from "@llm/fixtures";
import { describe, expect, it } from "vitest";
import { TokenizerError } from "../error.ts";
import { readSpecialTokens } from "../special-tokens.ts";
import { type ChatMessage, renderChat } from "./template.ts";

interface Golden {
  readonly templates: Record<string, { bos_token: string | null; eos_token: string | null; chat_template: string }>;
  readonly conversations: Record<string, ChatMessage[]>;
  readonly tools: unknown[];
  readonly cases: readonly {
    template: string;
    conversation: string;
    add_generation_prompt: boolean;
    tools: boolean;
    text?: string;
    error?: string;
  }[];
}

const golden: Golden = JSON.parse(readFileSync(`${goldenRoot}/chat_templates.json`, "utf8"));

describe.each(Object.entries(golden.templates))("chat template %s", (name, { chat_template, ...config }) => {
  const chat = {
    templates: new Map([["default", chat_template]]),
    fallback: { name: "plain", origin: "plain" as const, template: "", stops: [] },
  };
  const special = readSpecialTokens(config, {});
  const cases = golden.cases.filter((one) => one.template === name);

  it.each(cases)("$conversation, prompt $add_generation_prompt, tools $tools", (one) => {
    const render = () =>
      renderChat(chat, special, golden.conversations[one.conversation], {
        addGenerationPrompt: one.add_generation_prompt,
        ...(one.tools ? { tools: golden.tools } : {}),
      });
    if (one.error === undefined) {
      expect(render()).toBe(one.text);
      return;
    }
    let thrown: unknown;
    try {
      render();
    } catch (error) {
      thrown = error;
    }
    expect(TokenizerError.isInstance(thrown) && thrown.code).toBe("template-failed");
    expect((thrown as TokenizerError).cause).toHaveProperty("message", one.error);
  });
});

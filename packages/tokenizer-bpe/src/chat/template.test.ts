import { describe, expect, it } from "vitest";
import { TokenizerError } from "../error.ts";
import type { SpecialTokens } from "../special-tokens.ts";
import { fallbackTemplate, type Hints } from "./fallbacks.ts";
import { strftime } from "./strftime.ts";
import { type ChatMessage, type ChatOptions, type ChatTemplates, renderChat } from "./template.ts";

const special: SpecialTokens = { named: { bos_token: "<s>", eos_token: "</s>" }, bos: "<s>", eos: "</s>" };
const turns =
  "{% for m in messages %}[{{ m.role }}]{{ m.content }}[/]{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}";
const chat = (templates: Record<string, string>): ChatTemplates => ({
  templates: new Map(Object.entries(templates)),
  fallback: fallbackTemplate({ hasToken: () => false }),
});
const hello: ChatMessage[] = [{ role: "user", content: "Hi" }];
const render = (templates: Record<string, string>, messages: ChatMessage[] = hello, options: ChatOptions = {}) =>
  renderChat(chat(templates), special, messages, options);
const thrown = (run: () => unknown) => {
  try {
    run();
  } catch (error) {
    return error as TokenizerError;
  }
  return undefined;
};

describe("several templates", () => {
  const templates = { default: "plain", tool_use: "tools: {{ tools | length }}", rag: "{{ documents[0].title }}" };

  it("are chosen by name, or by what is asked", () => {
    expect(render(templates)).toBe("plain");
    expect(render(templates, hello, { tools: [{}, {}] })).toBe("tools: 2");
    expect(render(templates, hello, { templateName: "rag", documents: [{ title: "T" }] })).toBe("T");
    expect(thrown(() => render(templates, hello, { templateName: "nope" }))?.code).toBe("template-missing");
    expect(thrown(() => render({ rag: "x" }))?.code).toBe("template-missing");
  });
});

describe("continuing the last message", () => {
  const open: ChatMessage[] = [...hello, { role: "assistant", content: "So, " }];

  it("cuts right behind it", () => {
    expect(render({ default: turns }, open, { continueFinalMessage: true })).toBe("[user]Hi[/][assistant]So, ");
    const trimmed = turns.replace("m.content", "m.content | trim");
    expect(render({ default: trimmed }, open, { continueFinalMessage: true })).toBe("[user]Hi[/][assistant]So,");
  });

  it.each(["[", "/", "s", "]", "Hi"])("cuts there also where what follows looks like it: %s", (content) => {
    const begun: ChatMessage[] = [...hello, { role: "assistant", content }];
    const continued = render({ default: turns }, begun, { continueFinalMessage: true });
    expect(continued).toBe(`[user]Hi[/][assistant]${content}`);
  });

  it("goes on with the last text of several parts", () => {
    const joined = turns.replace("m.content", "m.content if m.content is string else m.content[1].text");
    const content = [{ type: "text", text: "a" }, { type: "text", text: "b" }, { type: "image" }];
    const continued = render({ default: joined }, [...hello, { role: "assistant", content }], {
      continueFinalMessage: true,
    });
    expect(continued).toBe("[user]Hi[/][assistant]b");
  });

  it("refuses what contradicts it", () => {
    const both = { continueFinalMessage: true, addGenerationPrompt: true };
    expect(thrown(() => render({ default: turns }, open, both))?.code).toBe("option-invalid");
    expect(thrown(() => render({ default: "gone" }, open, { continueFinalMessage: true }))?.code).toBe(
      "template-failed",
    );
  });
});

describe("mistakes", () => {
  it.each([
    "{% if %}",
    "{{ nope() }}",
    "{% for x in range(1000000000) %}{% endfor %}",
    "{{ raise_exception('no\nway') }}",
  ])("in %s are one line", (template) => {
    const error = thrown(() => render({ default: template }));
    expect(TokenizerError.isInstance(error) && error.code).toBe("template-failed");
    expect(error?.message).not.toContain("\n");
  });

  it("name the message that lacks something", () => {
    const added = "{% for m in messages %}{{ m.role + ': ' + m.content }}{% endfor %}";
    const messages = [...hello, { role: "assistant", tool_calls: [] }, { role: "user" }] as ChatMessage[];
    expect(thrown(() => render({ default: added }, messages))?.message).toMatch(/; message 3 of 3 has no content$/);
    const nobody = [...hello, { content: "x" }] as unknown as ChatMessage[];
    expect(thrown(() => render({ default: added }, nobody))?.message).toMatch(/; message 2 of 2 has no role$/);
    const refused = "{{ raise_exception('no') }}";
    expect(thrown(() => render({ default: refused }, messages))?.message).toMatch(/: no$/);
  });
});

it("writes dates in English, whatever the machine speaks", () => {
  const now = new Date(2026, 6, 4, 15, 5, 9);
  expect(render({ default: "{{ strftime_now('%d %b %Y') }}" }, hello, { now })).toBe("04 Jul 2026");
  expect(strftime(now, "%A %-d %B %y, %I:%M %p, %H:%M:%S, day %j, 100%%")).toBe(
    "Saturday 4 July 26, 03:05 PM, 15:05:09, day 185, 100%",
  );
});

describe("families without a template of their own", () => {
  const messages: ChatMessage[] = [
    { role: "system", content: "Be brief." },
    { role: "user", content: "Hi" },
    { role: "assistant", content: "Yes?" },
    { role: "user", content: "Bye" },
  ];
  const hints = (tokens: string[], modelType?: string, name?: string): Hints => ({
    hasToken: (token) => tokens.includes(token),
    modelType,
    name,
  });
  const starchat = ["<|system|>", "<|user|>", "<|assistant|>", "<|end|>"];
  const cases: [name: string, hints: Hints, text: string][] = [
    [
      "starchat",
      hints(starchat, "gpt_bigcode"),
      "<|system|>\nBe brief.<|end|>\n<|user|>\nHi<|end|>\n<|assistant|>\nYes?<|end|>\n<|user|>\nBye<|end|>\n<|assistant|>\n",
    ],
    [
      "wizardcoder",
      hints(["[PAD]"], "gpt_bigcode"),
      "Be brief.\n\n### Instruction:\nHi\n\n### Response:Yes?\n\n### Instruction:\nBye\n\n### Response:",
    ],
    [
      "chatml",
      hints(["<|im_start|>", "<|im_end|>"], "mpt"),
      "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nYes?<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n",
    ],
    [
      "llama2",
      hints([], "llama", "Llama-2-7b-chat-hf"),
      "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi [/INST] Yes? </s><s>[INST] Bye [/INST]",
    ],
    [
      "falcon",
      hints([], "falcon", "falcon-7b-instruct"),
      "System: Be brief.\nUser: Hi\nFalcon: Yes?\nUser: Bye\nFalcon:",
    ],
    ["plain", hints([], "gpt2"), "System: Be brief.\nUser: Hi\nAssistant: Yes?\nUser: Bye\nAssistant:"],
  ];

  it.each(cases)("%s", (name, known, text) => {
    const fallback = fallbackTemplate(known);
    expect(fallback.name).toBe(name);
    expect(fallback.origin).toBe(name === "plain" ? "plain" : "family");
    expect(renderChat({ templates: new Map(), fallback }, special, messages, { addGenerationPrompt: true })).toBe(text);
  });

  it("is plain for base models, whose vocabulary has the tokens of conversations they never saw", () => {
    const base = [
      hints(["<|start_header_id|>", "<|eot_id|>"], "llama", "Meta-Llama-3-8B"),
      hints(["<start_of_turn>", "<end_of_turn>"], "gemma3", "gemma-3-270m"),
    ];
    for (const known of base) expect(fallbackTemplate(known)).toMatchObject({ origin: "plain", stops: ["\nUser:"] });
  });

  it("has the words WizardCoder was trained with", () => {
    const fallback = fallbackTemplate(hints([], "gpt_bigcode", "WizardCoder-15B-V1.0"));
    expect(renderChat({ templates: new Map(), fallback }, special, hello, { addGenerationPrompt: true })).toBe(
      "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n" +
        "### Instruction:\nHi\n\n### Response:",
    );
  });

  it("renders every family's template", () => {
    const every: Hints[] = [
      hints(["<|start_header_id|>", "<|eot_id|>"], "llama", "Meta-Llama-3-8B-Instruct"),
      hints(["<start_of_turn>", "<end_of_turn>"], "gemma3", "gemma-3-270m-it"),
      hints(["<|user|>", "<|assistant|>", "<|end|>"], "phi3"),
      hints(["<|user|>", "<|assistant|>"], "chatglm"),
      hints(["[gMASK]", "sop"], "chatglm"),
      hints(["[gMASK]", "<sop>", "<|user|>", "<|assistant|>"], "chatglm"),
      hints(["<reserved_106>", "<reserved_107>"], "baichuan"),
      hints(["<reserved_102>", "<reserved_103>"], "baichuan"),
      hints(["<|EOT|>"], "llama"),
      hints([], "llama", "xgen-7b-8k-inst"),
    ];
    const texts = every.map((known) => {
      const fallback = fallbackTemplate(known);
      expect(fallback.origin).toBe("family");
      return renderChat({ templates: new Map(), fallback }, special, messages, { addGenerationPrompt: true });
    });
    for (const text of texts) for (const part of ["Be brief.", "Hi", "Yes?", "Bye"]) expect(text).toContain(part);
    expect(new Set(texts).size).toBe(every.length);
  });
});

import type { ChatTemplates } from "./template.ts";

/** What is known about a checkpoint that comes without a chat template. */
export interface Hints {
  hasToken(token: string): boolean;
  readonly modelType?: string | undefined;
  /** The repository's or folder's name. */
  readonly name?: string | undefined;
}

interface Family {
  readonly name: string;
  readonly fits: (hints: Hints) => boolean;
  readonly template: string;
  /** With what the next turn would begin, where no token ends one. */
  readonly stops?: readonly string[];
}

const has =
  (...tokens: string[]) =>
  (hints: Hints) =>
    tokens.every((token) => hints.hasToken(token));
const type =
  (...types: string[]) =>
  ({ modelType = "" }: Hints) =>
    types.includes(modelType);
const named =
  (part: RegExp) =>
  ({ name = "" }: Hints) =>
    part.test(name);
/** Base models share their vocabulary, and so these tokens, with the instruction-tuned ones, which bring a template of their own. */
const tuned = named(/(?:^|[^a-z])(?:it|instruct|chat)(?:[^a-z]|$)/i);
const both = (a: Family["fits"], b: Family["fits"]) => (hints: Hints) => a(hints) && b(hints);
const either = (a: Family["fits"], b: Family["fits"]) => (hints: Hints) => a(hints) || b(hints);

/** `{{ system }}` from a first system message; the rest of the conversation in `turns`. */
const splitSystem =
  "{% if messages and messages[0].role == 'system' %}{% set system = messages[0].content %}{% set turns = messages[1:] %}" +
  "{% else %}{% set system = '' %}{% set turns = messages %}{% endif %}";

const chatml =
  "{% for message in messages %}{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

const llama3 =
  "{{ bos_token }}{% for message in messages %}{{ '<|start_header_id|>' + message.role + '<|end_header_id|>\n\n' + " +
  "(message.content | trim) + '<|eot_id|>' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}";

const gemma =
  `{{ bos_token }}${splitSystem}` +
  "{% for message in turns %}{{ '<start_of_turn>' + ('model' if message.role == 'assistant' else message.role) + '\n' }}" +
  "{% if loop.first and system %}{{ (system | trim) + '\n\n' }}{% endif %}{{ (message.content | trim) + '<end_of_turn>\n' }}" +
  "{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}";

/** StarChat was trained with a system turn always there, empty or not. */
const starchat =
  `${splitSystem}{{ '<|system|>\n' + system + '<|end|>\n' }}` +
  "{% for message in turns %}{{ '<|' + message.role + '|>\n' + message.content + '<|end|>\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}";

const phi3 =
  "{% for message in messages %}{{ '<|' + message.role + '|>\n' + message.content + '<|end|>\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}";

const chatglm =
  "{{ '[gMASK]sop' }}{% for message in messages %}{{ '<|' + message.role + '|>\n ' + message.content }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}";

/** Rounds are numbered; nothing but the words marks whose turn it is. */
const chatglm2 =
  `${splitSystem}{% set ns = namespace(round=0) %}{{ '[gMASK]sop' }}{% if system %}{{ system + '\n\n' }}{% endif %}` +
  "{% for message in turns %}{% if message.role == 'assistant' %}{{ '答：' + message.content + '\n\n' }}" +
  "{% else %}{% set ns.round = ns.round + 1 %}{{ '[Round ' ~ ns.round ~ ']\n\n问：' + message.content + '\n\n' }}{% endif %}" +
  "{% endfor %}{% if add_generation_prompt %}{{ '答：' }}{% endif %}";

const glm4 =
  "{{ '[gMASK]<sop>' }}{% for message in messages %}{{ '<|' + message.role + '|>\n' + message.content }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}";

const baichuan = (user: string, assistant: string) =>
  `${splitSystem}{{ system }}{% for message in turns %}{% if message.role == 'assistant' %}{{ '${assistant}' }}` +
  `{% else %}{{ '${user}' }}{% endif %}{{ message.content }}{% endfor %}` +
  `{% if add_generation_prompt %}{{ '${assistant}' }}{% endif %}`;

/** The instruction format of WizardCoder and of the other models trained on Alpaca's prompt. */
const alpaca =
  "{% if messages and messages[0].role == 'system' %}{{ messages[0].content }}{% set turns = messages[1:] %}{% else %}" +
  "{{ 'Below is an instruction that describes a task. Write a response that appropriately completes the request.' }}" +
  "{% set turns = messages %}{% endif %}" +
  "{% for message in turns %}{% if message.role == 'assistant' %}{{ '\n\n### Response:' + message.content }}" +
  "{% else %}{{ '\n\n### Instruction:\n' + message.content }}{% endif %}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '\n\n### Response:' }}{% endif %}";

const deepseekCoder =
  "{{ bos_token }}{% for message in messages %}{% if message.role == 'system' %}{{ message.content }}" +
  "{% elif message.role == 'assistant' %}{{ '### Response:\n' + message.content + '\n<|EOT|>\n' }}" +
  "{% else %}{{ '### Instruction:\n' + message.content + '\n' }}{% endif %}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '### Response:\n' }}{% endif %}";

const llama2 =
  `${splitSystem}{% for message in turns %}{% if message.role == 'assistant' %}{{ ' ' + (message.content | trim) + ' ' + eos_token }}` +
  "{% else %}{{ bos_token + '[INST] ' }}{% if loop.first and system %}{{ '<<SYS>>\n' + system + '\n<</SYS>>\n\n' }}{% endif %}" +
  "{{ (message.content | trim) + ' [/INST]' }}{% endif %}{% endfor %}";

const falcon =
  "{% for message in messages %}{% if not loop.first %}{{ '\n' }}{% endif %}" +
  "{{ {'system': 'System', 'user': 'User', 'assistant': 'Falcon'}.get(message.role, message.role) + ': ' + (message.content | trim) }}" +
  "{% endfor %}{% if add_generation_prompt %}{{ '\nFalcon:' }}{% endif %}";

const xgen =
  `${splitSystem}{{ (system or 'A chat between a curious human and an artificial intelligence assistant. ` +
  "The assistant gives helpful, detailed, and polite answers to the human\\'s questions.') + '\n\n' }}" +
  "{% for message in turns %}{{ '### ' + ('Assistant' if message.role == 'assistant' else 'Human') + ': ' + message.content + '\n' }}" +
  "{% endfor %}{% if add_generation_prompt %}{{ '###' }}{% endif %}";

/** For checkpoints that never saw a conversation: something a text model can go on from. */
const plain =
  "{% for message in messages %}{{ {'system': 'System', 'user': 'User', 'assistant': 'Assistant'}.get(message.role, message.role)" +
  " + ': ' + message.content + '\n' }}{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}";

/** First match counts: control tokens say more than a model's type, and its name more than nothing. */
const families: readonly Family[] = [
  { name: "chatml", fits: has("<|im_start|>", "<|im_end|>"), template: chatml },
  { name: "llama3", fits: both(has("<|start_header_id|>", "<|eot_id|>"), tuned), template: llama3 },
  { name: "gemma", fits: both(has("<start_of_turn>", "<end_of_turn>"), tuned), template: gemma },
  { name: "starchat", fits: both(has("<|system|>", "<|user|>", "<|end|>"), type("gpt_bigcode")), template: starchat },
  { name: "phi3", fits: has("<|user|>", "<|assistant|>", "<|end|>"), template: phi3 },
  { name: "glm4", fits: has("[gMASK]", "<sop>", "<|user|>", "<|assistant|>"), template: glm4 },
  {
    name: "chatglm2",
    fits: (hints) => has("[gMASK]", "sop")(hints) && !hints.hasToken("<|user|>"),
    template: chatglm2,
  },
  { name: "chatglm", fits: both(has("<|user|>", "<|assistant|>"), type("chatglm", "glm", "glm4")), template: chatglm },
  {
    name: "baichuan2",
    fits: both(type("baichuan"), has("<reserved_106>", "<reserved_107>")),
    template: baichuan("<reserved_106>", "<reserved_107>"),
  },
  {
    name: "baichuan",
    fits: both(type("baichuan"), has("<reserved_102>", "<reserved_103>")),
    template: baichuan("<reserved_102>", "<reserved_103>"),
  },
  { name: "deepseek-coder", fits: either(has("<|EOT|>"), named(/deepseek-coder.*instruct/i)), template: deepseekCoder },
  { name: "starchat", fits: both(has("<|system|>", "<|user|>", "<|end|>"), named(/starchat/i)), template: starchat },
  // StarCoder itself has no padding token; WizardCoder's training added this one.
  {
    name: "wizardcoder",
    fits: either(named(/wizardcoder|alpaca|mpt.*instruct/i), both(type("gpt_bigcode"), has("[PAD]"))),
    template: alpaca,
    stops: ["\n\n### Instruction:"],
  },
  { name: "xgen", fits: named(/xgen.*inst|codegen25.*instruct/i), template: xgen, stops: ["\n### Human:"] },
  {
    name: "falcon",
    fits: both(type("falcon", "RefinedWeb", "RefinedWebModel"), named(/instruct|chat/i)),
    template: falcon,
    stops: ["\nUser:"],
  },
  {
    name: "llama2",
    fits: both(type("llama", "mistral", "mixtral"), either(named(/chat|instruct/i), has("[INST]"))),
    template: llama2,
  },
];

/** The template to use for a checkpoint that has none of its own. */
export function fallbackTemplate(hints: Hints): ChatTemplates["fallback"] {
  const family = families.find((one) => one.fits(hints));
  if (family === undefined) return { name: "plain", origin: "plain", template: plain, stops: ["\nUser:"] };
  const { name, template, stops = [] } = family;
  return { name, origin: "family", template, stops };
}

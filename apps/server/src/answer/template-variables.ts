import { type ChatRequest, unsupported } from "@llm/protocol";

type Given = Partial<Pick<ChatRequest, "chat_template_kwargs" | "documents">>;

/** Refuses what is for the chat template and never named in it: it would be dropped without a word. */
export function checkTemplateReads(chatTemplate = "", { chat_template_kwargs: variables, documents }: Given): void {
  const refuse = (field: string): Error => unsupported(field, "means nothing to this model's chat template");
  if (documents?.length && !chatTemplate.includes("documents")) throw refuse("documents");
  for (const [name, value] of Object.entries(variables ?? {})) {
    // What is switched off isn't there anyway: many clients say so to every model (`enable_thinking`).
    const isOff = value === false || value === null;
    if (!isOff && !chatTemplate.includes(name)) throw refuse(`chat_template_kwargs.${name}`);
  }
}

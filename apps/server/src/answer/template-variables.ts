import { type ChatRequest, unsupported } from "@llm/protocol";

type Given = Partial<Pick<ChatRequest, "chat_template_kwargs" | "documents">>;

/** Refuses what is for the chat template and never named in it: it would be dropped without a word. */
export function checkTemplateReads(chatTemplate = "", { chat_template_kwargs: variables, documents }: Given): void {
  const refuse = (field: string): Error => unsupported(field, "means nothing to this model's chat template");
  if (documents?.length && !chatTemplate.includes("documents")) throw refuse("documents");
  for (const [name, value] of Object.entries(variables ?? {})) {
    // Clients send switches to every model, whatever its template knows (`enable_thinking`): those carry nothing that could be lost.
    const isSwitch = typeof value === "boolean" || value === null;
    if (!isSwitch && !chatTemplate.includes(name)) throw refuse(`chat_template_kwargs.${name}`);
  }
}

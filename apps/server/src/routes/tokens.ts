import { isUtf8 } from "node:buffer";
import { applyTemplateRequest, detokenizeRequest, read, tokenizeRequest } from "@llm/protocol";
import { checkIds } from "../answer/check-ids.ts";
import { conversationFor } from "../answer/conversation.ts";
import { checkTemplateReads } from "../answer/template-variables.ts";
import type { RouteContext } from "./context.ts";

/** `POST /tokenize`, `POST /detokenize`, `POST /apply-template`, in llama-server's forms */
export function tokenRoutes({ app, turns }: RouteContext): void {
  app.post("/tokenize", async (request, reply) => {
    const body = read(tokenizeRequest, request.body);
    const { tokenizer } = (await turns.begin(request, reply, body.model, 1)).generator;
    const ids = Array.from(
      tokenizer.encode(body.content, {
        addSpecialTokens: body.add_special ?? false,
        parseSpecial: body.parse_special ?? true,
      }),
    );
    if (!body.with_pieces) return { tokens: ids };
    return { tokens: ids.map((id) => ({ id, piece: pieceOf(tokenizer.tokenBytes(id)) })) };
  });
  app.post("/detokenize", async (request, reply) => {
    const body = read(detokenizeRequest, request.body);
    const { generator } = await turns.begin(request, reply, body.model, 1);
    checkIds(generator, "tokens", body.tokens);
    return { content: generator.tokenizer.decode(body.tokens) };
  });
  app.post("/apply-template", async (request, reply) => {
    const body = read(applyTemplateRequest, request.body);
    const { tokenizer } = (await turns.begin(request, reply, body.model, 1)).generator;
    checkTemplateReads(tokenizer.chatTemplateSource, body);
    const conversation = conversationFor(tokenizer.chatTemplateSource, body.messages, body.tools ?? []);
    const prompt = tokenizer.applyChatTemplate(conversation, {
      addGenerationPrompt: body.add_generation_prompt ?? true,
      ...(body.tools ? { tools: body.tools } : {}),
      ...(body.chat_template_kwargs ? { variables: body.chat_template_kwargs } : {}),
    });
    return { prompt };
  });
}

/** A token's text; of one that is no whole characters its bytes. */
function pieceOf(bytes: Uint8Array): string | number[] {
  return isUtf8(bytes) ? Buffer.from(bytes).toString() : Array.from(bytes);
}

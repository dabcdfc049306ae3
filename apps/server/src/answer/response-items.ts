import { type OutputItem, outputText, type ResponseEvent } from "@llm/protocol";
import type { Block, BlockEvent } from "./blocks.ts";

export type ItemEnd = "completed" | "incomplete";

/** A block of an answer as an item of OpenAI's Responses. */
export function itemOf({ kind, id, name, text }: Block, status: "in_progress" | ItemEnd): OutputItem {
  const begun = status !== "in_progress";
  switch (kind) {
    case "text":
      return { type: "message", id: `msg_${id}`, role: "assistant", status, content: begun ? [outputText(text)] : [] };
    case "reasoning":
      return {
        type: "reasoning",
        id: `rs_${id}`,
        summary: [],
        content: begun ? [{ type: "reasoning_text", text }] : [],
        status,
      };
    case "call":
      return {
        type: "function_call",
        id: `fc_${id}`,
        call_id: `call_${id}`,
        name,
        arguments: begun ? text : "",
        status,
      };
  }
}

/** What a stream of OpenAI's Responses says of a block that begins, grows or ends: whole, or cut off. */
export function responseEvents(event: BlockEvent, ended: ItemEnd): ResponseEvent[] {
  const { block } = event;
  const item = itemOf(block, event.type === "close" ? ended : "in_progress");
  const of = { item_id: item.id, output_index: block.index };
  const first = { ...of, content_index: 0 };
  if (event.type === "open") {
    const added: ResponseEvent = { type: "response.output_item.added", output_index: block.index, item };
    return block.kind === "text"
      ? [added, { type: "response.content_part.added", ...first, part: outputText("") }]
      : [added];
  }
  if (event.type === "piece") return [pieceOf(block.kind, event.text, of)];
  const { name, text } = block;
  const done: ResponseEvent = { type: "response.output_item.done", output_index: block.index, item };
  switch (block.kind) {
    case "text":
      return [
        { type: "response.output_text.done", ...first, text, logprobs: [] },
        { type: "response.content_part.done", ...first, part: outputText(text) },
        done,
      ];
    case "reasoning":
      return [{ type: "response.reasoning_text.done", ...first, text }, done];
    case "call":
      return [{ type: "response.function_call_arguments.done", ...of, name, arguments: text }, done];
  }
}

function pieceOf(
  kind: Block["kind"],
  delta: string,
  of: { readonly item_id: string; readonly output_index: number },
): ResponseEvent {
  switch (kind) {
    case "text":
      return { type: "response.output_text.delta", ...of, content_index: 0, delta, logprobs: [] };
    case "reasoning":
      return { type: "response.reasoning_text.delta", ...of, content_index: 0, delta };
    case "call":
      return { type: "response.function_call_arguments.delta", ...of, delta };
  }
}

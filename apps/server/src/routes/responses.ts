import { randomUUID } from "node:crypto";
import type { AnswerParser, Completion } from "@llm/generate";
import {
  chatOfResponses,
  type ResponseEvent,
  read,
  responseObject,
  responsesError,
  responsesRequest,
  responsesUsage,
} from "@llm/protocol";
import type { Generator } from "@llm/toolchain";
import { type BlockEvent, Blocks } from "../answer/blocks.ts";
import { chatAsk } from "../answer/chat-ask.ts";
import { isCutOff } from "../answer/cut-off.ts";
import { type ItemEnd, itemOf, responseEvents } from "../answer/response-items.ts";
import { stateOf, times } from "../engine/answers.ts";
import { type RouteContext, streamTo } from "./context.ts";

/** `POST /v1/responses` */
export function responsesRoutes({ app, turns }: RouteContext): void {
  app.post("/v1/responses", async (request, reply) => {
    const body = read(responsesRequest, request.body);
    const turn = await turns.begin(request, reply, body.model, 1);
    const { ask, parser: parserOf } = chatAsk(chatOfResponses(body), turn.generator);
    const asks = times(ask, 1, stateOf(undefined));
    const parser = parserOf();
    const blocks = new Blocks();
    const created = Math.floor(Date.now() / 1000);
    const head = { id: `resp_${randomUUID().replaceAll("-", "")}`, created, model: turn.model };
    const finished = (said: Completion) => {
      const status = endOf(said, parser);
      // Only the last of what was said can have been cut off.
      const output = blocks.all.map((block, i) => itemOf(block, i === blocks.all.length - 1 ? status : "completed"));
      return responseObject(head, body, { status, output, usage: usageOf(said, blocks, turn.generator) });
    };

    if (!body.stream) {
      const [said] = await turn.answer(asks);
      blocks.push([...parser.push(said.text), ...parser.end()]);
      return finished(said);
    }

    let number = 0;
    const problem = (error: Parameters<typeof responsesError>[0]) => {
      const data = { ...responsesError(error), sequence_number: number++ };
      return { name: data.type, data };
    };
    return streamTo(request, reply, { problem, done: false }, async (stream) => {
      const send = (event: ResponseEvent): Promise<void> =>
        stream.send({ ...event, sequence_number: number++ }, event.type);
      const tell = async (events: readonly BlockEvent[], ended: ItemEnd = "completed"): Promise<void> => {
        if (number === 0) {
          const response = responseObject(head, body, { status: "in_progress" });
          await send({ type: "response.created", response });
          await send({ type: "response.in_progress", response });
        }
        for (const event of events.flatMap((each) => responseEvents(each, ended))) await send(event);
      };
      const [said] = await turn.answer(asks, async ({ text }) => tell(blocks.push(parser.push(text))));
      await tell(blocks.push(parser.end()));
      await tell(blocks.end(), endOf(said, parser));
      const response = finished(said);
      await send({ type: response.status === "incomplete" ? "response.incomplete" : "response.completed", response });
    });
  });
}

const endOf = (said: Completion, parser: AnswerParser): ItemEnd =>
  isCutOff(said, parser) ? "incomplete" : "completed";

function usageOf({ usage }: Completion, blocks: Blocks, { tokenizer }: Generator) {
  const thought = blocks.all.filter(({ kind }) => kind === "reasoning").map(({ text }) => text);
  const reasoning = thought.reduce((sum, text) => sum + tokenizer.encode(text, { addSpecialTokens: false }).length, 0);
  return responsesUsage(usage.promptTokens, usage.completionTokens, usage.cachedTokens, reasoning);
}

import { type EmbeddingRequest, embeddingList, embeddingRequest, read, unsupported } from "@llm/protocol";
import { checkIds } from "../answer/check-ids.ts";
import type { RouteContext } from "./context.ts";

/** `POST /v1/embeddings` */
export function embeddingRoutes({ app, turns }: RouteContext): void {
  app.post("/v1/embeddings", async (request, reply) => {
    const body = read(embeddingRequest, request.body);
    const inputs = inputsOf(body);
    const turn = await turns.begin(request, reply, body.model, 1);
    const { tokenizer, scheduler } = turn.generator;
    const { width } = scheduler.session.limits;
    if ((body.dimensions ?? width) !== width)
      throw unsupported("dimensions", `must be ${width}: this model was not trained for vectors that are cut off`);
    for (const input of inputs) if (typeof input !== "string") checkIds(turn.generator, "input", input);
    const texts = inputs.map((input) => (typeof input === "string" ? Array.from(tokenizer.encode(input)) : input));
    const vectors = await turn.embed(texts, body.pooling ?? undefined);
    const tokens = texts.reduce((sum, { length }) => sum + length, 0);
    return embeddingList(turn.model, vectors, tokens, body.encoding_format ?? "float");
  });
}

/** Text, ids, or a list of either, as a list. */
function inputsOf({ input }: EmbeddingRequest): (string | number[])[] {
  if (typeof input === "string") return [input];
  return typeof input[0] === "number" ? [input as number[]] : (input as (string | number[])[]);
}

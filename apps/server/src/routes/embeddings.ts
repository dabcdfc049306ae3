import { type EmbeddingRequest, embeddingList, embeddingRequest, read, unsupported } from "@llm/protocol";
import type { RouteContext } from "./context.ts";

/** Texts that are queued together: of a long list, others need not wait for all. */
const AT_ONCE = 16;

/** `POST /v1/embeddings` */
export function embeddingRoutes({ app, turns }: RouteContext): void {
  app.post("/v1/embeddings", async (request, reply) => {
    const body = read(embeddingRequest, request.body);
    const inputs = inputsOf(body);
    const { generator, options: named, signal } = await turns.begin(request, reply, body.model, 1);
    const { tokenizer } = generator;
    const texts = inputs.map((input) => (typeof input === "string" ? Array.from(tokenizer.encode(input)) : input));
    const { adapter } = named;
    const options = {
      signal,
      ...(adapter === undefined ? {} : { adapter }),
      ...(body.pooling ? { pooling: body.pooling } : {}),
    };
    const vectors: Float32Array[] = [];
    for (let at = 0; at < texts.length; at += AT_ONCE)
      vectors.push(...(await generator.embed(texts.slice(at, at + AT_ONCE), options)));
    const width = vectors[0].length;
    if ((body.dimensions ?? width) !== width)
      throw unsupported("dimensions", `must be ${width}: this model was not trained for vectors that are cut off`);
    const tokens = texts.reduce((sum, { length }) => sum + length, 0);
    return embeddingList(body.model, vectors, tokens, body.encoding_format ?? "float");
  });
}

/** Text, ids, or a list of either, as a list. */
function inputsOf({ input }: EmbeddingRequest): (string | number[])[] {
  if (typeof input === "string") return [input];
  return typeof input[0] === "number" ? [input as number[]] : (input as (string | number[])[]);
}

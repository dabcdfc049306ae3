import { setImmediate } from "node:timers/promises";
import { type EmbeddingRequest, embeddingList, embeddingRequest, read, unsupported } from "@llm/protocol";
import type { Generator } from "@llm/toolchain";
import { checkIds } from "../answer/check-ids.ts";
import { refuseHopeless } from "../answer/too-long.ts";
import type { RouteContext } from "./context.ts";

/** Characters that are made tokens before others get their turn. */
const AT_ONCE = 2 ** 17;

/** `POST /v1/embeddings` */
export function embeddingRoutes({ app, turns }: RouteContext): void {
  app.post("/v1/embeddings", async (request, reply) => {
    const body = read(embeddingRequest, request.body);
    const inputs = inputsOf(body);
    const turn = await turns.begin(request, reply, body.model, 1);
    const { width } = turn.generator.scheduler.session.limits;
    if ((body.dimensions ?? width) !== width)
      throw unsupported("dimensions", `must be ${width}: this model was not trained for vectors that are cut off`);
    const texts = await tokensOf(inputs, turn.generator);
    const vectors = await turn.embed(texts, body.pooling ?? undefined);
    const tokens = texts.reduce((sum, { length }) => sum + length, 0);
    return embeddingList(turn.model, vectors, tokens, body.encoding_format ?? "float");
  });
}

/** The tokens of each, with a turn for others in between. */
async function tokensOf(
  inputs: readonly (string | number[])[],
  generator: Generator,
): Promise<readonly (readonly number[])[]> {
  const texts: (readonly number[])[] = [];
  let characters = 0;
  for (const input of inputs) {
    if (typeof input === "string") {
      refuseHopeless(generator, input, generator.scheduler.room);
      texts.push(Array.from(generator.tokenizer.encode(input)));
      characters += input.length;
    } else {
      checkIds(generator, "input", input);
      texts.push(input);
    }
    if (characters < AT_ONCE) continue;
    characters = 0;
    await setImmediate();
  }
  return texts;
}

/** Text, ids, or a list of either, as a list. */
function inputsOf({ input }: EmbeddingRequest): (string | number[])[] {
  if (typeof input === "string") return [input];
  return typeof input[0] === "number" ? [input as number[]] : (input as (string | number[])[]);
}

import { z } from "zod";

const ids = z.array(z.int().min(0)).min(1);

/** `POST /v1/embeddings`. */
export const embeddingRequest = z
  .strictObject({
    model: z.string(),
    input: z.union([
      z.string().min(1),
      z.array(z.string().min(1)).min(1).max(2048),
      ids,
      z.array(ids).min(1).max(2048),
    ]),
    encoding_format: z.enum(["float", "base64"]).nullish(),
    dimensions: z.int().min(1).nullish(),
    user: z.string().nullish(),
    pooling: z.enum(["mean", "last"]).nullish().describe("how the tokens' vectors become one; mean unless said"),
  })
  .describe("Texts to be turned into vectors");

export type EmbeddingRequest = z.output<typeof embeddingRequest>;

export interface EmbeddingList {
  readonly object: "list";
  readonly data: { readonly object: "embedding"; readonly index: number; readonly embedding: number[] | string }[];
  readonly model: string;
  readonly usage: { readonly prompt_tokens: number; readonly total_tokens: number };
}

/** Vectors as lists of numbers, or as base64 of little-endian float32, which is what most clients ask for. */
export function embeddingList(
  model: string,
  vectors: readonly Float32Array[],
  tokens: number,
  format: "float" | "base64" = "float",
): EmbeddingList {
  const written = (vector: Float32Array): number[] | string =>
    format === "float"
      ? Array.from(vector)
      : Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString("base64");
  return {
    object: "list",
    data: vectors.map((vector, index) => ({ object: "embedding", index, embedding: written(vector) })),
    model,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}

export * from "./api-error.ts";
export * from "./llama-server/requests.ts";
export * from "./openai/chat.ts";
export * from "./openai/completions.ts";
export * from "./openai/embeddings.ts";
export * from "./openai/models.ts";
export { samplingOf } from "./openai/sampling.ts";
export { read } from "./read.ts";
export * from "./sse.ts";

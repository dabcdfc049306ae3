import { z } from "zod";
import { countTokensRequest, messagesRequest } from "./anthropic/requests.ts";
import { applyTemplateRequest, detokenizeRequest, infillRequest, tokenizeRequest } from "./llama-server/requests.ts";
import { chatRequest } from "./openai/chat.ts";
import { completionRequest } from "./openai/completions.ts";
import { embeddingRequest } from "./openai/embeddings.ts";
import { responsesRequest } from "./responses/requests.ts";

/** Something that can be asked of the server. */
export interface Endpoint {
  readonly method: "get" | "post";
  readonly path: string;
  /** Whose form it has. */
  readonly form: "OpenAI" | "Anthropic" | "llama-server" | "Prometheus" | "own";
  readonly summary: string;
  readonly request?: z.ZodType;
  /** What may stand behind the `?`, by name. */
  readonly query?: Readonly<Record<string, string>>;
  /** Whether it can be answered as a stream of events. */
  readonly streams?: boolean;
  /** Answered without a key, also where there are keys. */
  readonly open?: boolean;
  /** What it is answered with, unless that is JSON. */
  readonly answer?: string;
}

const post = (
  path: string,
  form: Endpoint["form"],
  summary: string,
  request: z.ZodType,
  streams = false,
): Endpoint => ({
  method: "post",
  path,
  form,
  summary,
  request,
  streams,
});

/** Everything that can be asked, in the order in which people meet it. */
export const ENDPOINTS: readonly Endpoint[] = [
  post("/v1/chat/completions", "OpenAI", "Go on with a conversation", chatRequest, true),
  post("/v1/completions", "OpenAI", "Go on with a text", completionRequest, true),
  post("/v1/responses", "OpenAI", "Go on with a conversation, as items", responsesRequest, true),
  post("/v1/embeddings", "OpenAI", "Turn texts into vectors", embeddingRequest),
  { method: "get", path: "/v1/models", form: "OpenAI", summary: "The models that can be named" },
  { method: "get", path: "/v1/models/{model}", form: "OpenAI", summary: "One of them" },
  post("/v1/messages", "Anthropic", "Go on with a conversation", messagesRequest, true),
  post("/v1/messages/count_tokens", "Anthropic", "How many tokens a conversation has", countTokensRequest),
  post("/infill", "llama-server", "Fill in at an editor's cursor", infillRequest, true),
  post("/tokenize", "llama-server", "Text to tokens", tokenizeRequest),
  post("/detokenize", "llama-server", "Tokens to text", detokenizeRequest),
  post("/apply-template", "llama-server", "The prompt that a conversation becomes", applyTemplateRequest),
  {
    method: "get",
    path: "/slots",
    form: "llama-server",
    summary: "What is under way",
    query: { model: "whose slots; the first model's unless said" },
  },
  { method: "get", path: "/health", form: "llama-server", summary: "Whether it lives", open: true },
  { method: "get", path: "/ready", form: "own", summary: "Whether a model is open: 200 or 503", open: true },
  { method: "get", path: "/version", form: "own", summary: "Which build this is", open: true },
  { method: "get", path: "/metrics", form: "Prometheus", summary: "Counts and times", answer: "text/plain" },
];

type Json = Readonly<Record<string, unknown>>;

const ERROR: Json = {
  type: "object",
  properties: {
    error: {
      type: "object",
      properties: {
        message: { type: "string" },
        type: { type: "string" },
        param: { type: ["string", "null"], description: "the field of the request that is meant" },
        code: { type: ["string", "null"] },
      },
      required: ["message", "type", "param", "code"],
    },
  },
  required: ["error"],
};

/** A key may be sent as OpenAI's clients do, or as Anthropic's. */
const SECURITY: Json = {
  key: { type: "http", scheme: "bearer" },
  header: { type: "apiKey", in: "header", name: "x-api-key" },
};

/** The JSON schema of a request, as clients write it. */
export function requestSchema(request: z.ZodType): Json {
  const { $schema: _, ...schema } = z.toJSONSchema(request, { io: "input", unrepresentable: "any" });
  return schema;
}

/** Everything that can be asked, as an OpenAPI document, made from the schemas that requests are read by. */
export function openApiDocument(version: string): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const endpoint of ENDPOINTS) (paths[endpoint.path] ??= {})[endpoint.method] = operationOf(endpoint);
  return {
    openapi: "3.1.0",
    info: { title: "llm serve", version },
    security: [{ key: [] }, { header: [] }],
    paths,
    components: { schemas: { Error: ERROR }, securitySchemes: SECURITY },
  };
}

function operationOf(endpoint: Endpoint): Json {
  const { path, form, summary, request, query = {}, streams, open, answer = "application/json" } = endpoint;
  const parameters = [
    ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: "path", required: true })),
    ...Object.entries(query).map(([name, description]) => ({ name, in: "query", description })),
  ].map((parameter) => ({ ...parameter, schema: { type: "string" } }));
  const error = {
    description: "What is wrong",
    content: {
      "application/json": {
        schema: form === "Anthropic" ? { type: "object" } : { $ref: "#/components/schemas/Error" },
      },
    },
  };
  return {
    tags: [form],
    summary,
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(request
      ? { requestBody: { required: true, content: { "application/json": { schema: requestSchema(request) } } } }
      : {}),
    ...(open ? { security: [] } : {}),
    responses: {
      200: {
        description: "The answer",
        content: { [answer]: {}, ...(streams ? { "text/event-stream": {} } : {}) },
      },
      default: error,
    },
  };
}

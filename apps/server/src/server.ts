import { randomUUID } from "node:crypto";
import { ApiError } from "@llm/protocol";
import Fastify, { type FastifyInstance, type FastifyServerOptions } from "fastify";
import { ModelHost, type ServedModel } from "./engine/model-host.ts";
import { problemOf } from "./http/problems.ts";
import { chatRoutes } from "./routes/chat.ts";
import { completionRoutes } from "./routes/completions.ts";
import { modelRoutes } from "./routes/models.ts";
import { tokenRoutes } from "./routes/tokens.ts";

export interface ServerOptions {
  readonly models: readonly ServedModel[];
  /** Names this build in answers. */
  readonly fingerprint?: string;
  readonly logger?: FastifyServerOptions["logger"];
}

/** Longest body: prompts of a million tokens are a few megabytes. */
const BODY_LIMIT = 16 * 2 ** 20;

/** The server, not yet listening. Closing it closes its models. */
export function createServer({ models, fingerprint = "llm", logger = false }: ServerOptions): FastifyInstance {
  const host = new ModelHost(models);
  const app = Fastify({
    logger,
    bodyLimit: BODY_LIMIT,
    genReqId: () => `req_${randomUUID().replaceAll("-", "")}`,
    requestIdHeader: "x-request-id",
    forceCloseConnections: "idle",
  });
  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error, request.id, request.url.includes("chat") ? "messages" : "prompt");
    if (problem.status >= 500) request.log.error({ err: error }, "a request failed");
    if (problem.retryAfter !== undefined) reply.header("retry-after", problem.retryAfter);
    return reply.code(problem.status).send(problem.toBody());
  });
  app.setNotFoundHandler((request) => {
    throw new ApiError(`There is no ${request.method} ${request.url.split("?")[0]}`, {
      status: 404,
      type: "invalid_request_error",
      code: "unknown_url",
      param: null,
    });
  });
  app.addHook("onSend", async (request, reply) => {
    reply.header("x-request-id", request.id);
  });
  app.addHook("onClose", () => host.close());
  const context = { app, host, fingerprint };
  for (const routes of [modelRoutes, completionRoutes, chatRoutes, tokenRoutes]) routes(context);
  app.addHook("onReady", async () => {
    void host.generator(undefined).catch((error) => app.log.error({ err: error }, "the model could not be opened"));
  });
  return app;
}

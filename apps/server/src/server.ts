import { randomUUID } from "node:crypto";
import { ApiError, anthropicError } from "@llm/protocol";
import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
  LogController,
} from "fastify";
import { authorise } from "./access/authorise.ts";
import { allowOrigins } from "./access/cors.ts";
import { Desk, type DeskLimits } from "./access/desk.ts";
import type { KeyRing } from "./access/key-ring.ts";
import { ModelHost, type ServedModel } from "./engine/model-host.ts";
import { Turns } from "./engine/turns.ts";
import { onClientError } from "./http/client-errors.ts";
import { type ConnectionLimits, connectionOptions, limitConnections, type TlsFiles } from "./http/connections.ts";
import { isGone, problemOf } from "./http/problems.ts";
import { logRequests } from "./http/request-log.ts";
import { Metrics } from "./metrics/metrics.ts";
import { chatRoutes } from "./routes/chat.ts";
import { completionRoutes } from "./routes/completions.ts";
import type { RouteContext } from "./routes/context.ts";
import { docsRoutes } from "./routes/docs.ts";
import { embeddingRoutes } from "./routes/embeddings.ts";
import { infillRoutes } from "./routes/infill.ts";
import { messagesRoutes } from "./routes/messages.ts";
import { modelRoutes } from "./routes/models.ts";
import { observeRoutes } from "./routes/observe.ts";
import { playgroundRoutes } from "./routes/playground.ts";
import { responsesRoutes } from "./routes/responses.ts";
import { tokenRoutes } from "./routes/tokens.ts";

export interface ServerOptions {
  /** The first is opened as soon as the server listens, the others when they are first named. */
  readonly models: readonly ServedModel[];
  /** Told why the first can't be opened at that; the log is, without. */
  readonly onStartFailure?: (problem: unknown) => void;
  /** Bytes that open models may take together; the one that was unused the longest goes first. */
  readonly memoryBudget?: number;
  /** Names this build in answers. */
  readonly fingerprint?: string;
  /** Who may ask; everybody, without. */
  readonly keys?: KeyRing;
  /** Origins whose pages may ask; `*` is all. None unless said. */
  readonly cors?: readonly string[];
  readonly tls?: TlsFiles;
  readonly limits?: DeskLimits;
  readonly connections?: ConnectionLimits;
  /** How long closing waits for answers that are under way. */
  readonly drainMs?: number;
  readonly logger?: FastifyServerOptions["logger"];
  /** Whether the log may hold what people ask. */
  readonly logPrompts?: boolean;
}

/** Longest body: prompts of a million tokens are a few megabytes. */
const BODY_LIMIT = 16 * 2 ** 20;

/** What orchestrators give a process between asking it to stop and killing it. */
const DRAIN_MS = 30_000;

/** For answers that were told to end to say so. */
const LAST_WORDS_MS = 1000;

const ROUTES: readonly ((context: RouteContext) => void)[] = [
  modelRoutes,
  completionRoutes,
  chatRoutes,
  embeddingRoutes,
  infillRoutes,
  messagesRoutes,
  responsesRoutes,
  tokenRoutes,
  observeRoutes,
  docsRoutes,
  playgroundRoutes,
];

/** The server, not yet listening. Closing it waits for answers under way, within `drainMs`, then closes its models. */
export function createServer(options: ServerOptions): FastifyInstance {
  const { fingerprint = "llm", logger = false, drainMs = DRAIN_MS } = options;
  const host = new ModelHost(options.models, options.memoryBudget);
  const desk = new Desk(options.limits);
  const metrics = new Metrics();
  const app = Fastify({
    logger,
    bodyLimit: BODY_LIMIT,
    genReqId: () => `req_${randomUUID().replaceAll("-", "")}`,
    requestIdHeader: "x-request-id",
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: "idle",
    return503OnClosing: false, // who comes late hears it in the shape that all errors have
    pluginTimeout: 0, // it would cut off whatever takes longer than ten seconds, draining too
    clientErrorHandler: onClientError,
    frameworkErrors: answerProblem,
    ...(connectionOptions(options.connections, options.tls) as FastifyServerOptions),
  }) as FastifyInstance;

  limitConnections(app.server);
  app.setErrorHandler(answerProblem);
  app.setNotFoundHandler((request) => {
    throw new ApiError(`There is no ${request.method} ${request.url.split("?")[0]}`, {
      status: 404,
      type: "invalid_request_error",
      code: "unknown_url",
      param: null,
    });
  });
  app.addHook("onRequest", async (request, reply) => {
    reply.header("x-request-id", request.id);
    if (isAnthropic(request)) reply.header("request-id", request.id); // as its clients read it
  });
  logRequests(app, options.logPrompts ?? false);
  allowOrigins(app, options.cors ?? []);
  authorise(app, options.keys);

  const context = { app, host, turns: new Turns(host, desk, metrics), metrics, fingerprint };
  for (const routes of ROUTES) routes(context);

  // Not before there is a port to answer at: opening may mean an export.
  app.addHook("onListen", async () => {
    host.lease(undefined).then(
      ({ release }) => release(),
      (problem) => {
        if (!context.turns.open) return; // it was told to stop meanwhile
        const foreseen = ApiError.isInstance(problem);
        if (options.onStartFailure) options.onStartFailure(foreseen ? (problem.cause ?? problem) : problem);
        else if (foreseen) app.log.error({ why: whyOf(problem) }, problem.message);
        else app.log.error({ err: problem }, "the model could not be opened");
      },
    );
  });
  app.addHook("preClose", async () => {
    // Also those that never came to ask anything.
    const late = setTimeout(() => app.server.closeAllConnections(), drainMs + LAST_WORDS_MS);
    app.server.once("close", () => clearTimeout(late));
    await desk.drain(drainMs);
  });
  app.addHook("onClose", async () => {
    metrics.close();
    await host.close();
  });
  return app;
}

const isAnthropic = ({ url }: FastifyRequest): boolean => url.startsWith("/v1/messages");

/** What was behind a failure, for the log: with where things lie, which callers aren't told. */
const whyOf = ({ cause }: ApiError): string | undefined => (cause instanceof Error ? cause.message : undefined);

/** Any failure, as the answer that says what is wrong. */
function answerProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = problemOf(error, request);
  if (problem.code === "model_unavailable") request.log.warn({ why: whyOf(problem) }, problem.message);
  const left = isGone(error) && reply.raw.destroyed; // which is nobody's mistake, and told by the line of the request
  if (problem.status >= 500 && problem.status !== 503 && !left) request.log.error({ err: error }, "a request failed");
  if (problem.retryAfter !== undefined) reply.header("retry-after", problem.retryAfter);
  return reply.code(problem.status).send(isAnthropic(request) ? anthropicError(problem, request.id) : problem.toBody());
}

import type { FastifyInstance } from "fastify";

/** One line for each answer, streams included: who asked for what, how it ended and how long it took. */
export function logRequests(app: FastifyInstance, prompts: boolean): void {
  app.addHook("onRequest", async (request, reply) => {
    const began = performance.now();
    reply.raw.once("close", () => {
      const { caller, method, body } = request;
      const { statusCode: status, writableFinished } = reply.raw;
      const [path] = request.url.split("?");
      const ms = Math.round(performance.now() - began);
      const gone = writableFinished ? {} : { gone: true };
      request.log.info({ method, path, status, ms, caller, ...gone, ...(prompts ? { body } : {}) }, "answered");
    });
  });
}

import type { FastifyInstance } from "fastify";

/** How long browsers may remember what they were told, in seconds. */
const REMEMBER = 600;

/** Lets pages of these origins ask, or of all with `*`. Without it browsers keep other sites' pages away. */
export function allowOrigins(app: FastifyInstance, origins: readonly string[]): void {
  if (origins.length === 0) return;
  const all = origins.includes("*");
  const allowed = new Set(origins.map((origin) => origin.replace(/\/$/, "")));
  app.addHook("onRequest", async (request, reply) => {
    const { origin } = request.headers;
    if (!all) reply.header("vary", "Origin");
    if (origin === undefined || !(all || allowed.has(origin))) return;
    reply.header("access-control-allow-origin", all ? "*" : origin);
    reply.header("access-control-expose-headers", "x-request-id, retry-after");
    if (request.method !== "OPTIONS" || request.headers["access-control-request-method"] === undefined) return;
    reply.header("access-control-allow-methods", "GET, POST");
    // Clients add headers of their own; none of them lets anybody in.
    reply.header("access-control-allow-headers", request.headers["access-control-request-headers"] ?? "content-type");
    reply.header("access-control-max-age", REMEMBER);
    return reply.code(204).send();
  });
}

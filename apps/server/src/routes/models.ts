import { modelList } from "@llm/protocol";
import type { RouteContext } from "./context.ts";

const OPEN = { config: { open: true } } as const;

/** `GET /v1/models`, `GET /v1/models/NAME`, `GET /health`, `GET /ready`, `GET /version` */
export function modelRoutes({ app, host, turns, fingerprint }: RouteContext): void {
  const isReady = (): boolean => host.ready && turns.open;
  app.get("/v1/models", () => modelList(host.list()));
  // A name may have a slash in it, and none is none of a model.
  app.get<{ Params: { "*": string } }>("/v1/models/*", ({ params: { "*": name } }) =>
    name === "" ? modelList(host.list()) : host.describe(name),
  );
  app.get("/health", OPEN, () => ({ status: host.ready ? "ok" : "loading" }));
  app.get("/ready", OPEN, (_, reply) => reply.code(isReady() ? 200 : 503).send({ ready: isReady() }));
  app.get("/version", OPEN, () => ({ version: fingerprint }));
}

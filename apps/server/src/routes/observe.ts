import { EXPOSITION_TYPE } from "../metrics/exposition.ts";
import { slotsOf } from "../metrics/slots.ts";
import type { RouteContext } from "./context.ts";

/** `GET /metrics` for Prometheus, `GET /slots` in llama-server's form */
export function observeRoutes({ app, host, metrics }: RouteContext): void {
  app.get("/metrics", (_, reply) => reply.type(EXPOSITION_TYPE).send(metrics.text(host)));
  app.get<{ Querystring: { model?: string } }>("/slots", ({ query }) => {
    const { id } = host.named(query.model).model;
    const open = host.loaded.find((each) => each.id === id);
    return open ? slotsOf(open.generator, metrics.records) : [];
  });
}

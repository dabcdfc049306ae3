import { CONTENT_SECURITY_POLICY, playgroundFiles } from "@llm/playground";
import type { RouteContext } from "./context.ts";

/** `GET /` and the files of the page. */
export function playgroundRoutes({ app }: RouteContext): void {
  app.register(async (routes) => {
    for (const [path, { type, body }] of await playgroundFiles()) {
      routes.get(`/${path}`, { config: { open: true } }, (_, reply) =>
        reply
          .header("content-type", type)
          .header("content-security-policy", CONTENT_SECURITY_POLICY)
          .header("x-content-type-options", "nosniff")
          .header("referrer-policy", "no-referrer")
          .header("cache-control", "no-cache")
          .send(body),
      );
    }
  });
}

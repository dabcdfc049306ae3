import { openApiDocument } from "@llm/protocol";
import { docsPage } from "../docs/page.ts";
import type { RouteContext } from "./context.ts";

/** Nothing is fetched and nothing runs: the page is text and its own style. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";

/** `GET /openapi.json`, and `GET /docs`, the same for people */
export function docsRoutes({ app, fingerprint }: RouteContext): void {
  const document = openApiDocument(fingerprint);
  const page = docsPage(fingerprint);
  const open = { config: { open: true } } as const;
  app.get("/openapi.json", open, () => document);
  app.get("/docs", open, (_, reply) =>
    reply.header("content-security-policy", POLICY).type("text/html; charset=utf-8").send(page),
  );
}

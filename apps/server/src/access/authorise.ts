import { unauthorized } from "@llm/protocol";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { KeyRing } from "./key-ring.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Who asks, by key or by address: what limits are counted by. */
    caller: string;
  }
  interface FastifyContextConfig {
    /** Answered without a key: what says whether the server lives, and pages, which browsers ask for without one. */
    open?: boolean;
  }
}

/** Lets in whoever has a key, where there are any, and says who each caller is. */
export function authorise(app: FastifyInstance, keys: KeyRing | undefined): void {
  app.decorateRequest("caller", "");
  app.addHook("onRequest", async (request) => {
    request.caller = request.ip;
    if (!keys || request.routeOptions.config.open) return;
    const key = keyOf(request);
    const name = key === undefined ? undefined : await keys.nameOf(key);
    if (name === undefined) throw unauthorized();
    request.caller = name;
  });
}

/** OpenAI's header, or Anthropic's. */
function keyOf({ headers }: FastifyRequest): string | undefined {
  const bearer = /^Bearer +(\S+)$/i.exec(headers.authorization ?? "")?.[1];
  const other = headers["x-api-key"];
  return bearer ?? (typeof other === "string" ? other : undefined);
}

import OpenAI from "openai";
import type { DemoServer } from "./demo-server.ts";

/** OpenAI's own client of a test's server, which asks once. */
export function openaiClient({ address }: DemoServer): OpenAI {
  return new OpenAI({ baseURL: `${address}/v1`, apiKey: "none", maxRetries: 0 });
}

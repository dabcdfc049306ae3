import { ContextOverflowError, GenerateError, GrammarError } from "@llm/generate";
import { ApiError, contextLengthExceeded, internal, invalid, unavailable } from "@llm/protocol";
import { TokenizerError } from "@llm/tokenizer-bpe";
import { HopelessTextError } from "../answer/too-long.ts";
import { stopping } from "./stopping.ts";

/** What of a request its failures are told by. */
export interface Asked {
  readonly id: string;
  readonly url: string;
  readonly body: unknown;
}

/** Any failure as the answer that the caller gets. */
export function problemOf(error: unknown, { id, url, body }: Asked): ApiError {
  if (ApiError.isInstance(error)) return error;
  const { param, remedy } = TEXTS.find(({ path }) => url.startsWith(path)) ?? { param: null, remedy: undefined };
  if (error instanceof ContextOverflowError) {
    const cut = fieldIn(body, ["suffix"]) ? undefined : remedy; // what is filled in stands between marks, which stay
    const isLeast = error instanceof HopelessTextError;
    return contextLengthExceeded(param, error.tokens, error.limit, { ...(cut ? { remedy: cut } : {}), isLeast });
  }
  if (GrammarError.isInstance(error)) return invalid(fieldIn(body, FORMS), error.message, "invalid_grammar");
  if (GenerateError.isInstance(error)) {
    if (error.code === "closed") return stopping();
    if (error.code === "device-failed") return unavailable("The device failed; the model is opened anew", 5);
    const { option = "" } = error;
    if (error.code !== "logits-invalid") return invalid(fieldIn(body, [snakeCase(option)]), error.message);
  }
  // Templates refuse conversations that their models weren't trained for: it is the caller who can write another.
  if (TokenizerError.isInstance(error) && OF_REQUESTS.has(error.code)) return invalid(param, error.message);
  // A form is followed by recursion, and one that is valid may still be deeper than there is room for.
  const form = fieldIn(body, FORMS);
  if (isOutOfStack(error) && form !== null) return invalid(form, `'${form}' is too deep or too large to be held`);
  const status = (error as { statusCode?: unknown } | null)?.statusCode;
  // What the HTTP layer itself refuses: bodies too large, not JSON, of another type.
  if (typeof status === "number" && status >= 400 && status < 500) {
    const message =
      status === 415 ? "Send the body as JSON, with 'Content-Type: application/json'" : (error as Error).message;
    return new ApiError(message, { status, type: "invalid_request_error", code: null, param: null });
  }
  return internal(id, error);
}

const isOutOfStack = (error: unknown): boolean => error instanceof RangeError && /call stack/.test(error.message);

/** The field that holds the text of a request, by its address, and the one that would have it cut off. */
const TEXTS: readonly { readonly path: string; readonly param: string; readonly remedy?: string }[] = [
  { path: "/v1/chat/", param: "messages", remedy: "truncate_prompt" },
  { path: "/v1/completions", param: "prompt", remedy: "truncate_prompt" },
  { path: "/v1/responses", param: "input" },
  { path: "/v1/embeddings", param: "input" },
  { path: "/v1/messages", param: "messages" },
  { path: "/apply-template", param: "messages" },
  { path: "/infill", param: "input_prefix" },
];

/** What of a tokenizer's errors a request brings about, and not the checkpoint. */
const OF_REQUESTS: ReadonlySet<TokenizerError["code"]> = new Set([
  "template-failed",
  "template-missing",
  "option-invalid",
  "infill-unsupported",
]);

/** Fields that give an answer its form, the likelier to be meant first. */
const FORMS = ["grammar", "regex", "choice", "json_schema", "response_format", "text", "output_config", "tools"];

/** The first of these fields that a request has. */
function fieldIn(body: unknown, fields: readonly string[]): string | null {
  const given = (body ?? {}) as Readonly<Record<string, unknown>>;
  return fields.find((field) => Object.hasOwn(given, field) && given[field] !== null) ?? null;
}

const snakeCase = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** True for what whoever asks must change, and no one who runs the server can. */
export function isCallersMistake(error: unknown): boolean {
  return problemOf(error, { id: "", url: "", body: undefined }).status < 500;
}

/** True where a model can't answer any more, until it is opened again. */
export function isBeyondUse(error: unknown): boolean {
  return GenerateError.isInstance(error) && error.code === "device-failed";
}

/** True where nobody is left to tell. */
export function isGone(error: unknown): boolean {
  return (error as { name?: unknown } | null)?.name === "AbortError";
}

import type { z } from "zod";
import { ApiError, invalid } from "./api-error.ts";

/** A request's body by its schema, or the error that names the first field that is wrong. */
export function read<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw invalid(null, "The request's body must be a JSON object; send it with 'Content-Type: application/json'");
  }
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  throw problem(result.error.issues[0] as Issue);
}

interface Issue {
  readonly code: string;
  readonly message: string;
  readonly path: readonly PropertyKey[];
  readonly keys?: readonly string[];
  readonly errors?: readonly (readonly Issue[])[];
  readonly params?: { readonly error?: unknown };
}

function problem(issue: Issue): ApiError {
  if (ApiError.isInstance(issue.params?.error)) return issue.params.error;
  const at = pathOf(issue.path);
  if (issue.code === "unrecognized_keys") {
    const param = at === null ? issue.keys![0] : `${at}.${issue.keys![0]}`;
    return invalid(param, `Unrecognized request argument: '${param}'`, "unknown_parameter");
  }
  // Of the ways in which none of several forms fits, the one that came farthest is what was meant.
  if (issue.code === "invalid_union" && issue.errors && issue.errors.length > 0) {
    const nearest = issue.errors
      .map(([first]) => first)
      .filter(Boolean)
      .toSorted((a, b) => b.path.length - a.path.length)[0];
    if (nearest && nearest.path.length > 0) return problem({ ...nearest, path: [...issue.path, ...nearest.path] });
  }
  return invalid(at, at === null ? issue.message : `'${at}' is wrong: ${issue.message}`, "invalid_value");
}

/** `messages[0].content`, as OpenAI writes it. */
function pathOf(path: readonly PropertyKey[]): string | null {
  if (path.length === 0) return null;
  return path
    .map((part, i) => (typeof part === "number" ? `[${part}]` : `${i === 0 ? "" : "."}${String(part)}`))
    .join("");
}

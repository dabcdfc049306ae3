import type { z } from "zod";
import { ApiError, invalid } from "./api-error.ts";

/**
 * A request's body by its schema, or the error that names the first field that is wrong. What the schema doesn't know and is
 * null is taken out of the body: clients write so what they don't ask for.
 */
export function read<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw invalid(null, `The request's body must be a JSON object, and ${bodyOf(body)}`);
  }
  for (;;) {
    const result = schema.safeParse(body);
    if (result.success) return result.data;
    const issues = result.error.issues as readonly Issue[];
    if (!withoutUnknownNulls(body, issues)) throw problem(issues[0], body);
  }
}

/** Takes the unknown fields that are null out of a body. @returns whether there was one */
function withoutUnknownNulls(body: object, issues: readonly Issue[]): boolean {
  let found = false;
  for (const { path, keys = [], errors = [] } of issues) {
    const at = valueAt(body, path) as Record<string, unknown>;
    for (const key of keys) {
      if (at[key] !== null) continue;
      delete at[key];
      found = true;
    }
    for (const form of errors) if (withoutUnknownNulls(at, form)) found = true;
  }
  return found;
}

function bodyOf(body: unknown): string {
  if (body === undefined) return "there is none; send it with 'Content-Type: application/json'";
  if (body === null) return "is null";
  return Array.isArray(body) ? "is an array" : `is a ${typeof body}`;
}

interface Issue {
  readonly code: string;
  readonly message: string;
  readonly path: readonly PropertyKey[];
  readonly expected?: string;
  readonly keys?: readonly string[];
  readonly errors?: readonly (readonly Issue[])[]; // of a union's forms
  readonly issues?: readonly Issue[]; // of a record's key
  readonly params?: { readonly error?: unknown };
}

function problem(issue: Issue, body: object): ApiError {
  if (ApiError.isInstance(issue.params?.error)) return issue.params.error;
  const at = pathOf(issue.path);
  if (issue.code === "unrecognized_keys") {
    const param = at === null ? issue.keys![0] : `${at}.${issue.keys![0]}`;
    return invalid(param, `Unrecognized request argument: '${param}'`, "unknown_parameter");
  }
  if (at !== null && !isThere(body, issue.path)) return invalid(at, `'${at}' is missing`, "missing_required_parameter");
  if (issue.code === "invalid_union") {
    const form = nearestForm(issue);
    if (form) return problem({ ...form, path: [...issue.path, ...form.path] }, body);
  }
  const message = issue.code === "invalid_key" ? issue.issues![0].message : issue.message;
  return invalid(at, at === null ? message : `'${at}' is wrong: ${message}`, "invalid_value");
}

/** Of the ways in which none of several forms fits, the one that came farthest: what was meant. */
function nearestForm({ errors = [] }: Issue): Issue | undefined {
  const firsts = errors.flatMap(([first]) => (first ? [first] : []));
  const [nearest] = firsts.toSorted((a, b) => b.path.length - a.path.length);
  if (nearest && nearest.path.length > 0) return nearest;
  return firsts.find(({ code }) => code !== "invalid_type") ?? ofSeveralTypes(firsts);
}

/** What is of none of the forms' types. */
function ofSeveralTypes(forms: readonly Issue[]): Issue | undefined {
  const types = new Set(forms.map(({ expected }) => expected));
  return forms[0] && { ...forms[0], message: `Invalid input: expected ${[...types].join(" or ")}` };
}

const isThere = (body: unknown, path: readonly PropertyKey[]): boolean => valueAt(body, path) !== undefined;

function valueAt(body: unknown, path: readonly PropertyKey[]): unknown {
  let value = body;
  for (const part of path) value = (value as Record<PropertyKey, unknown> | null | undefined)?.[part];
  return value;
}

/** `messages[0].content`, as OpenAI writes it. */
function pathOf(path: readonly PropertyKey[]): string | null {
  if (path.length === 0) return null;
  return path
    .map((part, i) => (typeof part === "number" ? `[${part}]` : `${i === 0 ? "" : "."}${String(part)}`))
    .join("");
}

import type { z } from "zod";
import { invalid } from "../api-error.ts";

/** Refuses a field for what else a request says. */
export function refuse(context: z.RefinementCtx, field: string, message: string): void {
  const error = invalid(field, message);
  context.addIssue({ code: "custom", path: [field], message, params: { error } });
}

/** Says that a field means nothing without another. */
export function needs(context: z.RefinementCtx, field: string, other: string): void {
  refuse(context, field, `'${field}' means nothing without ${other}`);
}

interface Streamed {
  readonly stream?: boolean | null | undefined;
  readonly stream_options?: object | null | undefined;
}

export function streamOptionsNeedStream({ stream, stream_options }: Streamed, context: z.RefinementCtx): void {
  if (stream_options && !stream) needs(context, "stream_options", "'stream': true");
}

interface Formed {
  readonly response_format?: { readonly type: string } | null | undefined;
  readonly json_schema?: object | null | undefined;
  readonly regex?: string | null | undefined;
  readonly choice?: readonly string[] | null | undefined;
  readonly grammar?: string | null | undefined;
}

/** An answer has one form. */
export function oneForm({ response_format: format, ...others }: Formed, context: z.RefinementCtx): void {
  const { json_schema, regex, choice, grammar } = others;
  const response_format = format?.type === "text" ? null : format;
  const forms = { response_format, json_schema, regex, choice, grammar };
  const [first, second] = Object.entries(forms).flatMap(([name, form]) =>
    form === null || form === undefined ? [] : [name],
  );
  if (first === undefined || second === undefined) return;
  refuse(context, second, `'${second}' can't be asked for together with '${first}'; choose one form`);
}

import type { z } from "zod";
import { refuse } from "./conflicts.ts";

/** The names that an answer's length goes by; what each form has of them is one limit. */
const LENGTHS = ["max_completion_tokens", "max_tokens", "max_new_tokens", "generation_len", "n_predict"] as const;

type Lengths = { readonly [name in (typeof LENGTHS)[number]]?: number | null | undefined };

/** How many tokens an answer may have, without end where -1 is asked for; nothing where that isn't said. */
export function lengthOf(request: Lengths): number | undefined {
  const most = LENGTHS.map((name) => request[name]).find((value) => value !== undefined && value !== null);
  return most === -1 ? Number.POSITIVE_INFINITY : (most ?? undefined);
}

/** An answer has one length, at which it isn't still to be kept from ending. */
export function oneLength(
  request: Lengths & { readonly min_tokens?: number | null | undefined },
  context: z.RefinementCtx,
): void {
  const said = LENGTHS.filter((name) => request[name] !== undefined && request[name] !== null);
  const other = said.find((name) => request[name] !== request[said[0]!]);
  if (other) refuse(context, other, `'${other}' and '${said[0]}' are two lengths of one answer; say one`);
  const [most, least] = [lengthOf(request), request.min_tokens ?? 0];
  if (most !== undefined && least > most)
    refuse(context, "min_tokens", `'min_tokens' is ${least}, and '${said[0]}' lets an answer have ${most}`);
}

import { invalid } from "@llm/protocol";
import type { Generator } from "@llm/toolchain";

/** Refuses what is no token of the model, by the name of the field that has it. */
export function checkIds({ scheduler }: Generator, field: string, ids: readonly number[]): void {
  const { vocab } = scheduler.session.limits;
  const other = ids.find((id) => id >= vocab);
  if (other !== undefined)
    throw invalid(field, `'${field}' has the token ${other}, which is not in the vocabulary of ${vocab}`);
}

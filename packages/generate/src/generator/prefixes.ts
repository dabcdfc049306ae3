import { GenerateError } from "../error.ts";
import { unpackSaved } from "../scheduler/saved.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";

/** What the cache holds of these tokens and of no others, computed first where it holds less. */
export async function savePrefix(scheduler: Scheduler, tokens: Int32Array, signal?: AbortSignal): Promise<Uint8Array> {
  if (!scheduler.session.save) throw cant("saved");
  await scheduler.submit({ prompt: tokens, maxNewTokens: 1, ...(signal ? { signal } : {}) }).done;
  const bytes = await scheduler.save(tokens);
  if (!bytes || unpackSaved(bytes).tokens.length !== tokens.length)
    throw new GenerateError(
      "unsupported",
      "the cache had no room to keep this beginning; ask again when less is under way",
    );
  return bytes;
}

export async function restorePrefix(scheduler: Scheduler, bytes: Uint8Array): Promise<number> {
  if (!scheduler.session.restore) throw cant("restored");
  return scheduler.restore(bytes);
}

function cant(done: string): GenerateError {
  return new GenerateError("unsupported", `this device's histories can't be ${done}; prompts are computed anew`);
}

import { expect, vi } from "vitest";

/** Waits for what another process or a server brings about. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  await vi.waitFor(async () => expect(await condition()).toBe(true), { timeout: 60_000, interval: 20 });
}

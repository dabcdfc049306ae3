import type { Needs, Unit } from "../target.ts";

/** What the machine has to give to units that run side by side. */
export interface Capacity {
  readonly cores: number;
  readonly ramBytes: number;
}

/**
 * Runs units as soon as those they come after are done, as many at once as their needs allow. A unit that needs more than
 * there is runs alone. The first failure stops new ones; it is thrown when those under way have ended.
 */
export async function runUnits(
  ordered: readonly Unit[],
  capacity: Capacity,
  run: (unit: Unit) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const waiting = new Set(ordered);
  const done = new Set<string>();
  const failures: unknown[] = [];
  let cores = capacity.cores;
  let ram = capacity.ramBytes;
  let running = 0;

  await new Promise<void>((resolve) => {
    const settle = (): void => {
      if (failures.length === 0 && !signal.aborted) start();
      if (running === 0) resolve();
    };
    const start = (): void => {
      for (const unit of waiting) {
        if (!unit.after.every((id) => done.has(id))) continue;
        const needs = clamp(unit.needs, capacity);
        if (needs.cores > cores || needs.ramBytes > ram) continue;
        waiting.delete(unit);
        cores -= needs.cores;
        ram -= needs.ramBytes;
        running++;
        run(unit)
          .then(
            () => void done.add(unit.id),
            (error: unknown) => void failures.push(error),
          )
          .finally(() => {
            cores += needs.cores;
            ram += needs.ramBytes;
            running--;
            settle();
          });
      }
    };
    settle();
  });
  if (failures.length > 0) throw failures[0];
  signal.throwIfAborted();
}

/** A unit that wants more than there is, of either, gets everything of both: whatever ran beside it would make it worse. */
function clamp({ cores, ramBytes }: Needs, capacity: Capacity): Capacity {
  if (cores > capacity.cores || ramBytes > capacity.ramBytes) return capacity;
  return { cores: Math.max(cores, 1), ramBytes: Math.max(ramBytes, 0) };
}

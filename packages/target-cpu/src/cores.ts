import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";

/** Where Linux tells of processors and of what a process may use; only tests have others. */
export interface ProcessorFiles {
  readonly processors: string;
  readonly status: string;
}

const LINUX: ProcessorFiles = { processors: "/sys/devices/system/cpu", status: "/proc/self/status" };

/**
 * How many threads compute best: one for each core that this process may use, and no more than a container's limit. Two threads on
 * one core share its vector units, and wait for each other's.
 */
export function coreCount(files: ProcessorFiles = LINUX, most: number = availableParallelism()): number {
  return Math.min(physicalCores(files) ?? most, most);
}

/**
 * The cores behind the processors that this process may run on; undefined where the system doesn't say. What is allowed counts
 * processors that may be plugged in one day, as virtual machines have them: those without a topology aren't there.
 */
function physicalCores({ processors, status }: ProcessorFiles): number | undefined {
  const allowed = /^Cpus_allowed_list:\s*(\S+)$/m.exec(textOf(status) ?? "");
  if (allowed === null) return undefined;
  const cores = idsOf(allowed[1]!).map((id) =>
    textOf(join(processors, `cpu${id}/topology/thread_siblings_list`))?.trim(),
  );
  return new Set(cores.filter((core) => core !== undefined)).size || undefined;
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

/** "0-3,8" as numbers. */
function idsOf(list: string): number[] {
  return list.split(",").flatMap((range) => {
    const [first, last = first] = range.split("-").map(Number) as [number, number?];
    return Array.from({ length: last! - first + 1 }, (_, i) => first + i);
  });
}

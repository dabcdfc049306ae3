import { readFileSync } from "node:fs";

/** Where Linux tells of a process's limits and of its own; only tests have others. */
export interface LimitFiles {
  readonly limits: string;
  readonly overcommit: string;
}

const LINUX: LimitFiles = { limits: "/proc/self/limits", overcommit: "/proc/sys/vm/overcommit_memory" };

/** The setting with which the system promises no more memory than it has. */
const NEVER = "2";

/** Whether addresses that nothing is written to count all the same: by a limit of this process, or because the system keeps promises. */
export function addressesCount({ limits, overcommit }: LimitFiles = LINUX): boolean {
  const most = /^Max address space\s+(\S+)/m.exec(textOf(limits));
  return (most !== null && most[1] !== "unlimited") || textOf(overcommit).trim() === NEVER;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return ""; // another system
  }
}

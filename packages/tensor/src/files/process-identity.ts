import { readFileSync } from "node:fs";

/**
 * A process by its number and when it began, in the system's own ticks: numbers are given out again, soon so in a container that
 * begins anew. Where there is no /proc, the number alone.
 */
export function processIdentity(pid: number = process.pid): string {
  const began = startOf(pid);
  return began === undefined ? String(pid) : `${pid}@${began}`;
}

/** Whether the process that called itself so is still there. One that didn't say when it began is known by its number. */
export function isAlive(identity: string): boolean {
  const [number, began] = identity.split("@");
  const pid = Number(number);
  if (!Number.isInteger(pid) || pid <= 0) return false;
  const now = startOf(pid);
  if (began !== undefined && now !== undefined && now !== began) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // somebody else's, and running
  }
}

/** `<boot>-<ticks>`: ticks count from when the machine began, which may be another time by now. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name, in brackets, may hold anything; what follows is numbered from 3, and the start is 22.
    const ticks = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[22 - 3];
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot}-${ticks}`;
  } catch {
    return undefined;
  }
}

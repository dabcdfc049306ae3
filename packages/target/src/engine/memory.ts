import { freemem, totalmem } from "node:os";

/** What a container, or whatever else limits this process, gives it; undefined where it has the whole machine. */
export function memoryLimit(): number | undefined {
  const most = process.constrainedMemory();
  return most > 0 && most < totalmem() ? most : undefined;
}

/** The memory of this machine, or of the container that it is. */
export function usableMemory(): number {
  return memoryLimit() ?? totalmem();
}

/**
 * How much of that can be taken now. Within a limit it is what this process doesn't hold: the system counts files that were read
 * as taken, too, and gives them up as soon as somebody needs the room.
 */
export function availableMemory(): number {
  const limit = memoryLimit();
  return limit === undefined ? freemem() : Math.min(freemem(), Math.max(0, limit - process.memoryUsage.rss()));
}

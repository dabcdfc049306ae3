import { monitorEventLoopDelay } from "node:perf_hooks";

/** How often the loop is looked at. */
const EVERY_MS = 10;

/** How late the loop of this thread was, and how much of that was its own work. */
export interface LoopReport {
  /** Milliseconds that a timer came too late, at the 99th percentile: on a busy machine others' work counts, too. */
  readonly late: number;
  /** Milliseconds of processor time that this thread took between two looks at the loop: at the 99th percentile, and at most. */
  readonly busy: number;
  readonly busiest: number;
}

/** Begins to watch the loop; what it gives ends that. */
export function watchLoop(): () => LoopReport {
  const delay = monitorEventLoopDelay({ resolution: EVERY_MS });
  const busy: number[] = [];
  let last = process.threadCpuUsage();
  const timer = setInterval(() => {
    const now = process.threadCpuUsage();
    busy.push((now.user + now.system - last.user - last.system) / 1000);
    last = now;
  }, EVERY_MS);
  delay.enable();
  return () => {
    clearInterval(timer);
    delay.disable();
    busy.sort((a, b) => a - b);
    return {
      late: delay.percentile(99) / 1e6 - EVERY_MS,
      busy: busy[Math.floor(busy.length * 0.99)],
      busiest: busy[busy.length - 1],
    };
  };
}

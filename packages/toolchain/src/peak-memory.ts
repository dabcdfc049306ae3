const SAMPLE_MS = 20;

/** Watches this process's resident memory until `stop`, which says what the most was, in bytes. */
export function sampleMemory(): { stop(): number } {
  let peak = process.memoryUsage.rss();
  const look = () => {
    peak = Math.max(peak, process.memoryUsage.rss());
    return peak;
  };
  const timer = setInterval(look, SAMPLE_MS);
  timer.unref();
  return {
    stop() {
      clearInterval(timer);
      return look();
    },
  };
}

import type { BuildEvent } from "@llm/target/engine";
import type { Progress } from "../output/progress.ts";
import { seconds } from "../output/units.ts";

/** Shows a build's events on the progress display. */
export function buildProgress(progress: Progress): (event: BuildEvent) => void {
  const began = performance.now();
  let units = 0;
  let finished = 0;
  let made = 0;
  const left = (): string => {
    if (made === 0 || finished === units) return "";
    const each = (performance.now() - began) / 1000 / made;
    return `, about ${seconds(each * (units - finished))} left`;
  };
  return (event) => {
    switch (event.kind) {
      case "planned":
        units = event.units;
        break;
      case "started":
        progress.update({ done: finished, total: units, note: event.unit + left() });
        break;
      case "progress":
        // One unit's own bytes say more than that one unit of one is being made.
        if (event.total > 0)
          progress.update({ done: event.done, total: event.total, unit: "bytes", note: event.note ?? event.unit });
        break;
      case "finished":
        if (!event.cached) made++;
        progress.update({ done: ++finished, total: units });
        break;
      case "retrying":
        progress.line(`${event.unit} failed and is tried again: ${event.reason}`);
        break;
      case "copied":
        progress.line(`${event.file} was copied: it lies on another file system than the cache`);
        break;
      case "assembled":
        break;
    }
  };
}

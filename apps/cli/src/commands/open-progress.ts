import type { StageEvent } from "@llm/toolchain";
import type { Progress } from "../output/progress.ts";
import { buildProgress } from "./build-progress.ts";

/** Shows the stages of making a model ready on the progress display. */
export function openProgress(progress: Progress): (event: StageEvent) => void {
  const onBuild = buildProgress(progress);
  return (event) => {
    switch (event.kind) {
      case "begin":
        progress.begin(event.stage, event.note);
        break;
      case "bytes":
        progress.update({
          done: event.done,
          total: event.total,
          unit: "bytes",
          ...(event.note === undefined ? {} : { note: event.note }),
        });
        break;
      case "note":
        progress.line(event.text);
        break;
      case "build":
        onBuild(event.event);
        break;
      case "end":
        progress.end(event);
    }
  };
}

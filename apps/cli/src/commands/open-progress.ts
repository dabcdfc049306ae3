import type { StageEvent } from "@llm/toolchain";
import type { Io } from "../output/io.ts";
import type { Progress } from "../output/progress.ts";
import { bytes } from "../output/units.ts";
import { buildProgress } from "./build-progress.ts";

/** A download that may not be needed: a stage from its first byte on. */
export function fetchStage(model: string, { progress }: Io) {
  let began: number | undefined;
  let size = 0;
  return {
    onProgress: (done: number, total: number, note: string): void => {
      if (began === undefined) progress.begin("fetch", model);
      began ??= performance.now();
      size = done;
      progress.update({ done, total, unit: "bytes", note });
    },
    end: (): void => {
      if (began !== undefined) progress.end({ seconds: (performance.now() - began) / 1000, note: bytes(size) });
    },
  };
}

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

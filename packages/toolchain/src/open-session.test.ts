import type { Artefact, OpenEvent, Session, Target } from "@llm/target";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { StageEvent } from "./make-ready.ts";
import { openSession } from "./open-session.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

type Tell = (event: OpenEvent) => void;

/** What users are told by opening a target that does `work` for it. */
async function opened(work: (tell: Tell) => void): Promise<{ events: StageEvent[]; tell: Tell }> {
  const events: StageEvent[] = [];
  let told: Tell = () => {};
  const open: Target["open"] = async (_artefact, _options, _readers, tell) => {
    told = tell!;
    work(told);
    return {} as Session;
  };
  await openSession({ open } as Target, {} as Artefact, {}, {}, (event) => events.push(event));
  return { events, tell: told };
}

const progress = (done: number) => ({ kind: "progress", done, total: 10, note: "once" }) as const;

test("opening is a stage where it takes more than a second", async () => {
  const { events, tell } = await opened((during) => {
    during(progress(1));
    vi.advanceTimersByTime(1000);
    during(progress(5));
    vi.advanceTimersByTime(500);
    during(progress(10));
  });
  const bytes = { kind: "bytes", total: 10, note: "once" };
  const shown = [
    { kind: "begin", stage: "load" },
    { ...bytes, done: 5 },
    { ...bytes, done: 10 },
    { kind: "end", name: "load", skipped: false, seconds: 1.5 },
  ];
  expect(events).toEqual(shown);
  tell(progress(10)); // on its way when the session was open
  expect(events).toEqual(shown);
});

test("opening that is over at once is no stage, and notes are told", async () => {
  const { events } = await opened((during) => {
    during(progress(10));
    during({ kind: "note", text: "no room" });
  });
  expect(events).toEqual([{ kind: "note", text: "no room" }]);
});

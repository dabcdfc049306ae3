import type { PanelsEvent } from "@llm/runtime-native/ort";
import { expect, test } from "vitest";
import { panelsTogether } from "./panels-together.ts";

test("workers are told of as one, and a reason once", () => {
  const heard: PanelsEvent[] = [];
  const tell = panelsTogether((event) => heard.push(event));
  const progress = (worker: string, done: number, total: number) => tell(worker, { kind: "progress", done, total });
  progress("a", 1, 10);
  progress("b", 4, 20);
  progress("a", 10, 10);
  progress("a", 2, 5); // the next net
  tell("a", { kind: "unkept", reason: "a full disk" });
  tell("b", { kind: "unkept", reason: "a full disk" });
  expect(heard).toEqual([
    { kind: "progress", done: 1, total: 10 },
    { kind: "progress", done: 5, total: 30 },
    { kind: "progress", done: 14, total: 30 },
    { kind: "progress", done: 16, total: 35 },
    { kind: "unkept", reason: "a full disk" },
  ]);
});

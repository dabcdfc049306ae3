import type { PanelsEvent } from "@llm/runtime-native/ort";

/**
 * What workers tell while they put weights in order, as one: how far all of them are, and each reason once. A worker counts its next
 * net from the start again.
 */
export function panelsTogether(tell: (event: PanelsEvent) => void): (worker: string, event: PanelsEvent) => void {
  const reached = new Map<string, { before: number; done: number; total: number }>();
  const reasons = new Set<string>();
  return (worker, event) => {
    if (event.kind === "unkept") {
      if (!reasons.has(event.reason)) tell(event);
      reasons.add(event.reason);
      return;
    }
    const last = reached.get(worker) ?? { before: 0, done: 0, total: 0 };
    const before = event.done < last.done ? last.before + last.total : last.before;
    reached.set(worker, { before, done: event.done, total: event.total });
    const sum = (part: (one: { before: number; done: number; total: number }) => number) =>
      [...reached.values()].reduce((all, one) => all + one.before + part(one), 0);
    tell({ kind: "progress", done: sum(({ done }) => done), total: sum(({ total }) => total) });
  };
}

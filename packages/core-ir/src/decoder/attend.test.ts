import { expect, test } from "vitest";
import { attend, type Heads, type Stored } from "./attend.ts";

const head = (...data: number[]): Heads => ({
  data: Float32Array.from(data),
  count: 1,
  at: 0,
  step: data.length,
  width: data.length,
});

test("a context of more tokens than a call takes arguments", () => {
  const length = 300_000;
  const key = head(1, 0);
  const value = head(2, 4);
  const seen: Stored[] = Array.from({ length }, (_, position) => ({ position, key, value }));
  seen[7] = { position: 7, key: head(1000, 0), value: head(-3, 5) }; // outweighs all others
  const out = head(0, 0);
  attend(head(1, 0), length - 1, seen, out, { scale: 1 });
  expect([...out.data]).toEqual([-3, 5]);
});

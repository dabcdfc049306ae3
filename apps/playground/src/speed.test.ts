import { expect, it } from "vitest";
import { Speed } from "./page/speed.ts";

it("is told in tokens, however many of them come at a time", () => {
  let now = 1000;
  const speed = new Speed(() => now);
  speed.begin();
  expect([speed.toFirst, speed.rate]).toEqual([undefined, undefined]);
  now = 1040;
  speed.count(2);
  expect([speed.toFirst, speed.rate]).toEqual([40, undefined]);
  for (let i = 1; i <= 50; i++) {
    now += 20;
    speed.count(2 + 6 * i);
  }
  expect([speed.toFirst, speed.rate]).toEqual([40, 300]);
  speed.begin();
  expect([speed.toFirst, speed.rate]).toEqual([undefined, undefined]);
});

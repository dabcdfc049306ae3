import { expect, test } from "vitest";
import { OneAtATime } from "./one-at-a-time.ts";

test("one call at a time, whether the last went well or not", async () => {
  const calls = new OneAtATime();
  const first = calls.run(() => new Promise((resolve) => setTimeout(resolve, 5, "done")));
  await expect(calls.run(async () => 1)).rejects.toMatchObject({ code: "busy" });
  expect(() => calls.close()).toThrow(/still running/);
  expect(await first).toBe("done");
  await expect(calls.run(() => Promise.reject(new Error("broke")))).rejects.toThrow("broke");
  expect(await calls.run(async () => 2)).toBe(2);
});

test("nothing after it was closed, which happens once", async () => {
  const calls = new OneAtATime();
  expect(calls.close()).toBe(true);
  expect(calls.close()).toBe(false);
  await expect(calls.run(async () => 1)).rejects.toMatchObject({ code: "closed" });
});

import { describe, expect, it } from "vitest";
import { until } from "../testing/demo-server.ts";
import { Delivery } from "./delivery.ts";

const nothing = (): void => {};

describe("an answer's delivery", () => {
  it("brings the first piece at once, gathers what comes fast, and ends with what was held back", async () => {
    const heard: [string, number[]][] = [];
    const delivery = new Delivery(async (text, tokens) => void heard.push([text, tokens.map(({ id }) => id)]), nothing);
    delivery.add({ id: 1 }, "a");
    expect(heard).toEqual([]); // the engine goes on first
    await until(() => heard.length === 1);
    for (const id of [2, 3, 4]) delivery.add({ id }, id === 3 ? "" : "bcd"[id - 2]);
    delivery.add({ id: 5 }, "");
    await until(() => heard.length === 2);
    delivery.add({ id: 6 }, "");
    delivery.finish("abd!");
    await delivery.done();
    expect(heard).toEqual([
      ["a", [1]],
      ["bd", [2, 3, 4, 5]],
      ["!", [6]],
    ]);
  });

  it("doesn't wait for the next picture once all is said", async () => {
    const heard: string[] = [];
    const delivery = new Delivery(async (text) => void heard.push(text), nothing);
    delivery.add({ id: 1 }, "a");
    await until(() => heard.length === 1);
    delivery.add({ id: 2 }, "b");
    delivery.finish("ab");
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect(heard).toEqual(["a", "b"]);
    await delivery.done();
  });

  it("brings one piece after the other to a reader who takes time, and tokens without text", async () => {
    const heard: string[] = [];
    let release = nothing;
    const delivery = new Delivery(async (text) => {
      heard.push(text);
      await new Promise<void>((resolve) => (release = resolve));
    }, nothing);
    delivery.add({ id: 1 }, "a");
    await until(() => heard.length === 1);
    delivery.add({ id: 2 }, "b");
    delivery.finish("ab");
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(heard).toEqual(["a"]);
    release();
    await until(() => heard.length === 2);
    release();
    await delivery.done();
    expect(heard).toEqual(["a", "b"]);
  });

  it("tells of a reader who fails, at once and at the end", async () => {
    const reasons: unknown[] = [];
    const failure = new Error("gone");
    const delivery = new Delivery(
      () => Promise.reject(failure),
      (reason) => reasons.push(reason),
    );
    delivery.add({ id: 1 }, "a");
    await until(() => reasons.length === 1);
    delivery.add({ id: 2 }, "b");
    delivery.finish("ab");
    await expect(delivery.done()).rejects.toBe(failure);
    expect(reasons).toEqual([failure]);
  });
});

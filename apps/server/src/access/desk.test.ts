import { describe, expect, it } from "vitest";
import { Desk } from "./desk.ts";

describe("the desk", () => {
  it("lets in as many answers as it may, and again when some have left", () => {
    const desk = new Desk({ answers: 3 });
    const visit = desk.enter("a", 2);
    desk.enter("b", 1);
    expect(() => desk.enter("c", 1)).toThrow(expect.objectContaining({ status: 503, retryAfter: expect.any(Number) }));
    visit.leave();
    visit.leave(); // leaving twice frees nothing twice
    expect(desk.answers).toBe(1);
    desk.enter("c", 2);
    expect(() => desk.enter("d", 1)).toThrow(/queue is full/);
  });

  it("refuses for good what could never be let in", () => {
    expect(() => new Desk({ answers: 3 }).enter("a", 4)).toThrow(expect.objectContaining({ status: 400 }));
    expect(() => new Desk({ answersOfOne: 2 }).enter("a", 3)).toThrow(expect.objectContaining({ status: 400 }));
  });

  it("keeps one caller from taking all the places", () => {
    const desk = new Desk({ answers: 10, answersOfOne: 2 });
    desk.enter("a", 2);
    expect(() => desk.enter("a", 1)).toThrow(expect.objectContaining({ status: 429 }));
    desk.enter("b", 1);
  });

  it("counts each caller's requests, and says when the next may come", () => {
    let now = 0;
    const desk = new Desk({ perMinute: 6 }, () => now);
    for (let i = 0; i < 6; i++) desk.enter("a", 1).leave();
    expect(() => desk.enter("a", 1)).toThrow(expect.objectContaining({ status: 429, retryAfter: 10 }));
    desk.enter("b", 1).leave();
    now += 10_000;
    desk.enter("a", 1).leave();
    expect(() => desk.enter("a", 1)).toThrow(/6 requests a minute/);
  });

  it("waits for those inside when it closes, and tells those who take too long", async () => {
    await new Desk().drain(0);
    const desk = new Desk();
    const [quick, slow] = [desk.enter("a", 1), desk.enter("a", 1)];
    const told: unknown[] = [];
    slow.signal.addEventListener("abort", () => {
      told.push(slow.signal.reason);
      slow.leave();
    });
    setTimeout(quick.leave, 5);
    const drained = desk.drain(30);
    expect(() => desk.enter("b", 1)).toThrow(expect.objectContaining({ status: 503, retryAfter: expect.any(Number) }));
    await drained;
    expect(quick.signal.aborted).toBe(false);
    expect(told).toEqual([expect.objectContaining({ status: 503 })]);
  });
});

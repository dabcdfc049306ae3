import type { Generator } from "@llm/toolchain";
import { describe, expect, it } from "vitest";
import { ModelHost, type ServedModel } from "./model-host.ts";

/** Models of these sizes, and what was opened and closed of them. */
function models(sizes: Readonly<Record<string, number>>) {
  const events: string[] = [];
  const served = Object.entries(sizes).map(
    ([id, bytes]): ServedModel => ({
      id,
      bytes: async () => bytes,
      open: async () => {
        events.push(`open ${id}`);
        const close = async (): Promise<void> => void events.push(`close ${id}`);
        return { close } as Generator;
      },
    }),
  );
  return { served, events };
}

const used = async (host: ModelHost, id: string): Promise<void> => (await host.lease(id)).release();

describe("the models of a server", () => {
  it("are opened once, when they are first named", async () => {
    const { served, events } = models({ a: 1, b: 1 });
    const host = new ModelHost(served);
    const [first, second] = await Promise.all([host.lease("a"), host.lease(undefined)]);
    expect(first.generator).toBe(second.generator);
    expect(events).toEqual(["open a"]);
    expect((await host.lease("")).generator).toBe(first.generator);
    await expect(host.lease("c")).rejects.toMatchObject({ status: 404, code: "model_not_found" });
    await host.close();
    expect(events).toEqual(["open a", "close a"]);
  });

  it("have further names, told or not; none stands for two", async () => {
    const { served, events } = models({ a: 1, b: 1 });
    const [first, second] = served as [ServedModel, ServedModel];
    const host = new ModelHost([{ ...first, aliases: ["gpt"], unlisted: ["/data/a"] }, second]);
    expect(host.list().map(({ id, parent }) => [id, parent])).toEqual(["a", "gpt", "b"].map((id) => [id, undefined]));
    expect((await host.lease("gpt")).id).toBe("gpt");
    expect((await host.lease("/data/a")).id).toBe("a");
    expect(events).toEqual(["open a"]);
    await expect(host.lease("c")).rejects.toMatchObject({
      message: "The model 'c' does not exist; there are a, gpt, b",
    });
    expect(() => new ModelHost([first, { ...second, aliases: ["a"] }])).toThrow("the same name");
  });

  it("make room for one another: who was unused the longest goes", async () => {
    const { served, events } = models({ a: 4, b: 4, c: 4 });
    const host = new ModelHost(served, 8);
    for (const id of ["a", "b", "a", "c"]) await used(host, id);
    expect(events).toEqual(["open a", "open b", "close b", "open c"]);
    await used(host, "b");
    expect(events.slice(4)).toEqual(["close a", "open b"]);
    expect(host.loaded.map(({ id }) => id)).toEqual(["c", "b"]);
  });

  it("stay while they are in use; whoever finds no room is told to come again, or that there never will be", async () => {
    const { served, events } = models({ a: 4, b: 8, c: 9 });
    const host = new ModelHost(served, 8);
    const lease = await host.lease("a");
    await expect(host.lease("b")).rejects.toMatchObject({ status: 503, retryAfter: expect.any(Number) });
    await expect(host.lease("c")).rejects.toMatchObject({ status: 400, param: "model" });
    expect(events).toEqual(["open a"]);
    lease.release();
    lease.release(); // twice is once
    await used(host, "b");
    expect(events).toEqual(["open a", "close a", "open b"]);
  });

  it("that can't be opened say why in one line, where that was foreseen", async () => {
    const foreseen = Object.assign(new Error("a: there is no such\n repository"), { code: "hub-failed" });
    const open = (error: Error) => new ModelHost([{ id: "a", open: () => Promise.reject(error) }]).lease("a");
    await expect(open(foreseen)).rejects.toMatchObject({
      message: "The model 'a' can't be opened: there is no such repository",
      status: 503,
      param: "model",
      cause: foreseen,
    });
    const lost = Object.assign(new Error("/data/a/config.json: it is cut off"), { code: "file-invalid" });
    const placed = new ModelHost([{ id: "a", unlisted: ["/data/a"], open: () => Promise.reject(lost) }]);
    await expect(placed.lease("a")).rejects.toMatchObject({
      message: "The model 'a' can't be opened: a/config.json: it is cut off",
      cause: lost,
    });
    const unforeseen = new TypeError("x is undefined");
    await expect(open(unforeseen)).rejects.toBe(unforeseen);
  });

  it("are opened anew where one is beyond use, or couldn't be opened before", async () => {
    const { served, events } = models({ a: 1 });
    let failures = 1;
    const [model] = served;
    const open = async (signal: AbortSignal): Promise<Generator> => {
      if (failures-- > 0) throw new Error("the card was busy");
      return model.open(signal);
    };
    const host = new ModelHost([{ ...model, open }]);
    await expect(host.lease("a")).rejects.toThrow("busy");
    const { generator, release } = await host.lease("a");
    host.drop("a", generator);
    host.drop("a", generator);
    release();
    expect(host.ready).toBe(false);
    expect((await host.lease("a")).generator).not.toBe(generator);
    host.drop("a", generator); // an old one's failure is not the new one's
    expect(host.ready).toBe(true);
    expect(events).toEqual(["open a", "close a", "open a"]);
  });

  it("aren't opened anew before the device has been let go of", async () => {
    const events: string[] = [];
    const closed = Promise.withResolvers<void>();
    const close = (): Promise<void> => closed.promise.then(() => void events.push("closed"));
    const open = async (): Promise<Generator> => {
      events.push("open");
      return { close } as Generator;
    };
    const host = new ModelHost([{ id: "a", open }]);
    const { generator } = await host.lease("a");
    host.drop("a", generator);
    const again = host.lease("a");
    await new Promise((resolve) => setTimeout(resolve, 5));
    closed.resolve();
    expect((await again).generator).not.toBe(generator);
    expect(events).toEqual(["open", "closed", "open"]);
  });
});

import { demoModelFolder } from "@llm/demo-model";
import { describe, expect, it } from "vitest";
import { makeReady, type StageEvent } from "./make-ready.ts";
import { findTarget } from "./targets.ts";
import { scratch } from "./testing/scratch.ts";

const { env } = scratch();
const { target } = await findTarget("cpu");

async function stages(options: Parameters<typeof makeReady>[2] = {}) {
  const events: StageEvent[] = [];
  const ready = await makeReady("demo", target, { env, ...options, onEvent: (event) => events.push(event) });
  await ready.model.close();
  return { ready, events, done: ready.stages.filter(({ skipped }) => !skipped).map(({ name }) => name) };
}

describe("making a model ready", () => {
  it("does each stage once, and everything again when forced", async () => {
    const first = await stages({ sample: "def fibonacci(n):" });
    expect(first.ready.stages.map(({ name }) => name)).toEqual(["fetch", "export", "verify", "compile"]);
    expect(first.done).toEqual(["export", "verify"]);
    expect((await stages()).done).toEqual([]);
    expect((await stages({ force: true })).done).toEqual(["export", "verify"]);
  });

  it("tells what it does, and why it doesn't", async () => {
    const { events } = await stages();
    const told = events.flatMap((event) => (event.kind === "end" ? [`${event.name}: ${event.note ?? ""}`] : []));
    expect(told).toEqual(["fetch: bundled", "export: ", "verify: ", "compile: nothing to compile for cpu"]);
  });

  it("compiles after it verified, where there is something to compile", async () => {
    const { target: nothing } = await findTarget("null");
    const run = async () => {
      const ready = await makeReady("demo", nothing, { env, targetOptions: { like: "aic100" } });
      await ready.model.close();
      return ready.stages.map(({ name, skipped }) => `${name}${skipped ? " skipped" : ""}`);
    };
    expect(await run()).toEqual(["fetch skipped", "export", "verify skipped", "compile"]);
    expect(await run()).toEqual(["fetch skipped", "export skipped", "verify skipped", "compile skipped"]);
  });

  it("stops at an export that computes something else, and remembers nothing", async () => {
    const wrong: typeof target = {
      ...target,
      runner: async (artefact) => {
        const right = await target.runner!(artefact);
        return {
          ...right,
          run: async (net, inputs) => {
            const outputs = await right.run(net, inputs);
            return {
              ...outputs,
              logits: { ...outputs.logits!, data: (outputs.logits!.data as Float32Array).map((x) => x * 1.1) },
            };
          },
        };
      },
    };
    const fresh = { ...env, XDG_CACHE_HOME: `${env.XDG_CACHE_HOME}-wrong` };
    for (let i = 0; i < 2; i++)
      await expect(makeReady(demoModelFolder, wrong, { env: fresh })).rejects.toMatchObject({
        code: "verify-failed",
        message: expect.stringContaining("differs from the reference"),
      });
  });
});

import { demoModelFolder } from "@llm/demo-model";
import { type Target, TargetError } from "@llm/target";
import { describe, expect, it } from "vitest";
import { conform } from "./conformance.ts";
import { openModel } from "./open-model.ts";
import { findTarget } from "./targets.ts";
import { scratch } from "./testing/scratch.ts";

const { env } = scratch();
const { target } = await findTarget("null");

async function report(changed: Partial<Target> = {}) {
  const model = await openModel(demoModelFolder);
  try {
    return await conform(model, { ...target, ...changed }, { env });
  } finally {
    await model.close();
  }
}

describe("the report on a target", () => {
  it("names the programs that made what was run, and what is on the machine", async () => {
    const sdk = { name: "SDK", state: "ok", detail: "1.22.0.36" } as const;
    const made = await report({
      tools: () => ({ compiler: "7.1", another: "2" }),
      units: (...given) =>
        target.units(...given).map((unit) => ({ ...unit, needs: { ...unit.needs, tools: ["compiler"] } })),
      doctor: async () => [sdk],
    });
    expect(made).toMatchObject({ failed: 0, tools: { compiler: "7.1" }, found: [sdk] });
    expect(made.tools).not.toHaveProperty("another");
  });

  it("isn't made where a compiler is missing: nothing was compiled that could be wrong", async () => {
    const missing = report({ unfinished: () => "nothing was compiled: install the SDK" });
    await expect(missing).rejects.toMatchObject({ code: "tool-missing", message: /install the SDK/ });
  });

  it("isn't made where the device's runtime is missing", async () => {
    const open = async () => {
      throw new TargetError("tool-missing", "libsophon is not installed");
    };
    await expect(report({ open })).rejects.toMatchObject({ code: "tool-missing", message: /libsophon/ });
  });

  it("says what failed of a device that is there and can't be opened", async () => {
    const open = async () => {
      throw new TargetError("unsupported", "the card is of another generation");
    };
    const { failed, checks } = await report({ open });
    expect(failed).toBeGreaterThan(0);
    expect(checks.find(({ state }) => state === "failed")?.reason).toMatch(/another generation/);
  });
});

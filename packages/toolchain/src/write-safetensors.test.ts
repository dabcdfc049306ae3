import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openCheckpoint } from "@llm/checkpoint";
import { read } from "@llm/tensor";
import { describe, expect, it } from "vitest";
import { scratch } from "./testing/scratch.ts";
import { writeSafetensors } from "./write-safetensors.ts";

const { folder } = scratch();

describe("safetensors files", () => {
  it("are read back by the checkpoint reader, views of larger buffers included", async () => {
    const all = Float32Array.from({ length: 10 }, (_, i) => i / 3);
    await writeSafetensors(join(folder, "model.safetensors"), [
      { name: "a", shape: [2, 3], data: all.subarray(0, 6) },
      { name: "b.c", shape: [3], data: all.subarray(7) },
    ]);
    writeFileSync(join(folder, "config.json"), "{}");
    const checkpoint = await openCheckpoint(folder);
    const values = async (name: string, shape: number[]) =>
      (await read({ op: "tensor", name, shape }, checkpoint.weights, "f32")).data;
    expect(await values("a", [2, 3])).toEqual(all.slice(0, 6));
    expect(await values("b.c", [3])).toEqual(all.slice(7));
    await checkpoint.close();
  });

  it("leave nothing behind when they can't be written", async () => {
    const before = readdirSync(folder);
    const under = join(folder, "config.json", "x.safetensors");
    await expect(writeSafetensors(under, [])).rejects.toMatchObject({
      code: "write-failed",
      message: expect.stringContaining(under),
    });
    expect(readdirSync(folder)).toEqual(before);
  });
});

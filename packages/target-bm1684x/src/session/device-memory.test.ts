import { NativeError } from "@llm/runtime-native";
import type { Bmrt } from "@llm/runtime-native/bmrt";
import { expect, test } from "vitest";
import { DeviceBuffers } from "./device-memory.ts";
import type { Layout } from "./layout.ts";

const MEMORY = 100;

/** A device of so many bytes that refuses to free what it hasn't. */
class SmallDevice implements Pick<Bmrt, "allocate" | "free"> {
  readonly held = new Map<number, number>();
  #next = 0;

  async allocate(_device: number, bytes: number): Promise<number> {
    const used = [...this.held.values()].reduce((sum, size) => sum + size, 0);
    if (used + bytes > MEMORY) throw new NativeError("device-failed", "out of device memory");
    this.held.set(this.#next, bytes);
    return this.#next++;
  }

  async free(_device: number, buffer: number): Promise<void> {
    if (!this.held.delete(buffer)) throw new NativeError("run-failed", `there is no buffer ${buffer}`);
  }
}

test("what there was no memory for can be asked for again", async () => {
  const device = new SmallDevice();
  const buffers = new DeviceBuffers(device as unknown as Bmrt, { layers: [] } as unknown as Layout, 1);
  await buffers.reserve(0, "aside", 40);
  await buffers.reserve(0, "mask", 50);
  for (let i = 0; i < 2; i++) await expect(buffers.reserve(0, "aside", 60)).rejects.toThrow("out of device memory");
  await buffers.reserve(0, "aside", 50);
  expect([...device.held.values()]).toEqual([50, 50]);
  expect(device.held.has(buffers.at(0, "aside")[0])).toBe(true);
});

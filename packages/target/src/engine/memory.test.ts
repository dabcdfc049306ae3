import { totalmem } from "node:os";
import { afterEach, describe, expect, it, vi } from "vitest";
import { availableMemory, memoryLimit, usableMemory } from "./memory.ts";

afterEach(() => void vi.restoreAllMocks());

function limitedTo(bytes: number): void {
  vi.spyOn(process, "constrainedMemory").mockReturnValue(bytes);
}

describe("memory that may be used", () => {
  it.each([0, totalmem(), 2 ** 63])("is the machine's where the limit is %d: there is none", (none) => {
    limitedTo(none);
    expect(memoryLimit()).toBeUndefined();
    expect(usableMemory()).toBe(totalmem());
  });

  it("is a container's, less what this process has of it", () => {
    const limit = Math.floor(Math.min(process.memoryUsage.rss() + (64 << 20), totalmem() / 2));
    limitedTo(limit);
    expect(usableMemory()).toBe(limit);
    expect(availableMemory()).toBeLessThan(limit);
    limitedTo(1 << 20);
    expect(availableMemory()).toBe(0);
  });
});

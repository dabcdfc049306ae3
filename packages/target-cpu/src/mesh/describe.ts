import { usableMemory } from "@llm/target/engine";
import type { DescribedDevice } from "@llm/target/mesh";
import { threadCount } from "../open.ts";
import { type CpuOptions, packedBits } from "../options.ts";
import { RESERVE } from "../plan/memory.ts";

/** What one core does, and what a machine's memory gives: rough, and the same for every mesh that is compared by them. */
const CORE_FLOPS = 5e10;
const BANDWIDTH = 2e10;

/** This machine as planning a mesh sees it. Its workers share its memory, so shares make nothing faster by themselves. */
export function describeCpu(options: CpuOptions): DescribedDevice {
  const cores = threadCount(options.threads);
  const bits = packedBits(options);
  return {
    device: {
      name: "this machine",
      memory: usableMemory(),
      reserve: RESERVE,
      bandwidth: BANDWIDTH,
      compute: CORE_FLOPS * cores,
      link: { bandwidth: 4e9, latency: 40e-6, way: "direct" },
      most: cores,
      shared: true,
    },
    work: {
      ...(bits === undefined ? { weightBits: 32 } : { weightBits: bits + 1, tableBits: 32 }),
      cacheBits: 32,
      talkBits: 32,
      chunk: 512,
    },
  };
}

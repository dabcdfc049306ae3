import type { BmodelNet, DeviceMemory } from "./bmodel.ts";

/**
 * What a device holds once these nets are loaded. Weights of several nets that lie in the same place of the file are held
 * once, and nets compute in the same memory, one after the other; inputs and outputs that lie apart are each their own. The
 * vendor's tools leave those out of what they report.
 */
export function memoryOf(nets: readonly BmodelNet[]): DeviceMemory {
  const weightsAt = new Map<number, number>();
  let instructions = 0;
  let working = 0;
  let io = 0;
  for (const { stages, addressMode } of nets)
    for (const { weights, commands, runtimeBytes, ioBytes } of stages) {
      if (weights) weightsAt.set(weights.start, Math.max(weightsAt.get(weights.start) ?? 0, weights.bytes));
      instructions += commands.bytes;
      working = Math.max(working, runtimeBytes);
      if (addressMode !== "basic") io += ioBytes;
    }
  const weights = [...weightsAt.values()].reduce((sum, bytes) => sum + bytes, 0);
  return { total: weights + instructions + working + io, weights, instructions, runtime: working, io };
}

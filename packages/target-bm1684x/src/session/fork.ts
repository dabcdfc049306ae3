import type { BmrtCommand } from "@llm/runtime-native/bmrt";
import type { ForkMove } from "@llm/target";
import type { CacheTensor, DeviceBuffers } from "./device-memory.ts";

/**
 * Copies histories as if all at once: what is also copied to somewhere else is set aside first, one layer after the other, so
 * that little memory does for any number of them.
 */
export async function forkCommands(
  buffers: DeviceBuffers,
  moves: readonly ForkMove[],
): Promise<readonly BmrtCommand[]> {
  const real = moves.filter(({ from, to, length }) => from !== to && length > 0);
  const overwritten = new Set(real.map(({ to }) => to));
  const commands: BmrtCommand[] = [];
  const caches = new Map<number, readonly CacheTensor[]>();
  for (const { from, to } of real) for (const slot of [from, to]) caches.set(slot, (await buffers.slot(slot)).flat());
  const [sample] = caches.values();
  for (let t = 0; t < (sample?.length ?? 0); t++) {
    const later: BmrtCommand[] = [];
    for (const [i, { from, to, length }] of real.entries()) {
      const source = caches.get(from)![t]!;
      const target = caches.get(to)![t]!;
      const { device, row } = source;
      const bytes = length * row;
      let place = [source.buffer, 0] as const;
      if (overwritten.has(from)) {
        await buffers.reserve(device, `aside ${i}`, source.bytes);
        const aside = buffers.at(device, `aside ${i}`);
        commands.push({ do: "copy", device, to: aside, fromDevice: device, from: place, bytes });
        place = [aside[0], 0];
      }
      later.push({ do: "copy", device, to: [target.buffer, 0], fromDevice: device, from: place, bytes });
    }
    commands.push(...later);
  }
  return commands;
}

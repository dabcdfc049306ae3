import { type ChannelMemory, channelMemory } from "./channel.ts";
import type { MeshMemory } from "./exchange.ts";

/** Shared memory for one replica of a mesh. */
export function meshMemory(mp: number, pp: number): MeshMemory {
  const list = <T>(count: number, make: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at));
  return {
    flag: new SharedArrayBuffer(4),
    talk: list(pp, () => list(mp, () => channelMemory(mp - 1))),
    hand: list(pp, (from) => list(mp, () => list(pp, (to) => channelMemory(to > from ? 1 : 0)))),
  };
}

export function allChannels({ talk, hand }: MeshMemory): readonly ChannelMemory[] {
  return [...talk.flat(), ...hand.flat(2)];
}

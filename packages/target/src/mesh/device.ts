import type { Mesh } from "./axes.ts";

/** What planning a mesh has to know of a device. Figures are of one device; rates are what is reached, not what is printed. */
export interface DeviceDescription {
  readonly name: string;
  /** Bytes of memory, and those of them that are nobody's to use. */
  readonly memory: number;
  readonly reserve: number;
  /** Bytes a second that its memory gives. */
  readonly bandwidth: number;
  /** Multiplications and additions a second, in the format that it computes in. */
  readonly compute: number;
  readonly link: Link;
  /** How many of them a machine has, at most. */
  readonly most: number;
  /** It is one machine that all shards run on: its memory, bandwidth and arithmetic are shared by them. */
  readonly shared?: boolean;
}

/** A device as a target's options set it up, and what those say of the work: widths of weights, caches and moves. */
export interface DescribedDevice {
  readonly device: DeviceDescription;
  readonly work?: Partial<MeshWork>;
  /** Meshes that the target makes programs of this model for; any unless said. */
  runs?(mesh: Mesh): boolean;
}

/** What is to be run: what a mesh costs depends on it. */
export interface MeshWork {
  /** Sequences at once, over all copies. */
  readonly batch: number;
  /** Tokens that each may come to hold. */
  readonly context: number;
  /** Tokens of a prompt that go through the model at once. */
  readonly chunk: number;
  /** Bits of a layer's weight, with its share of a scale. */
  readonly weightBits: number;
  /** The same of the head; as a layer's unless said. */
  readonly headBits?: number;
  /** The same of the embedding's tables, where they are kept by themselves: even one that the head multiplies by is there twice. */
  readonly tableBits?: number;
  readonly cacheBits: number;
  /** Bits of what devices tell one another. */
  readonly talkBits: number;
}

export const DEFAULT_WORK: MeshWork = {
  batch: 1,
  context: 2048,
  chunk: 128,
  weightBits: 16,
  cacheBits: 16,
  talkBits: 16,
};

/** One of `count` equal parts of a device that all share. */
export function shareOf(device: DeviceDescription, count: number): DeviceDescription {
  if (!device.shared || count === 1) return device;
  const { memory, reserve, bandwidth, compute } = device;
  return {
    ...device,
    memory: memory / count,
    reserve: reserve / count,
    bandwidth: bandwidth / count,
    compute: compute / count,
  };
}

/** How devices of one machine reach one another. */
export interface Link {
  /** Bytes a second into a device. */
  readonly bandwidth: number;
  /** Seconds before the first byte is there, once for each collective or move. */
  readonly latency: number;
  /**
   * direct: each device hears every other's term whole; ring: sums are made on the way round; host: the host takes all terms,
   * and each device hears the result once.
   */
  readonly way: "direct" | "ring" | "host";
}

/** One BM1684X as its boards have it. */
export const CHIP = {
  name: "BM1684X",
  memoryBytes: 16 * 2 ** 30,
  /** Firmware, the driver's queues, and what video and image units are given even where nobody uses them. */
  reservedBytes: 1.5 * 2 ** 30,
  /** About seven tenths of what its maker prints, each second: bytes of its memory, multiplications and additions in 16 bits. */
  bandwidth: 45e9,
  compute: 11e12,
  /** Over PCIe to the host, which makes the sums. */
  link: { bandwidth: 2.5e9, latency: 60e-6, way: "host" },
} as const;

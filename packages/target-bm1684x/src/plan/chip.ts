/** One BM1684X as its boards have it. */
export const CHIP = {
  name: "BM1684X",
  memoryBytes: 16 * 2 ** 30,
  /** Firmware, the driver's queues, and what video and image units are given even where nobody uses them. */
  reservedBytes: 1.5 * 2 ** 30,
} as const;

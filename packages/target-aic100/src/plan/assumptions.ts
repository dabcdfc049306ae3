import { TargetError } from "@llm/target";
import type { Card } from "./cards.ts";

/** A number that a plan goes by and no file says. */
export interface Assumption {
  readonly value: number;
  readonly unit: string;
  readonly why: string;
}

/** Whatever the card. None of them comes from the rows that the plan is held to. */
export const ASSUMPTIONS = {
  gigabyte: {
    value: 2 ** 30,
    unit: "bytes",
    why: "memory chips come in powers of two: a 16 GB card has 16 · 2^30 bytes",
  },
  reserve: {
    value: 2e9,
    unit: "bytes of each device",
    why: "the transformers library's rule of thumb: 30 GB of a 32 GB device can be used; firmware, code and queues are no smaller on a smaller one",
  },
  weightBits: {
    value: 16,
    unit: "bits",
    why: "weights that are no matrices, tables that are looked up, and all weights without MXFP6: fp16",
  },
  mxfp6Bits: { value: 6.25, unit: "bits", why: "OCP MX 1.0: 32 elements of 6 bits share a scale of 8" },
  cacheBits: { value: 16, unit: "bits", why: "caches without MXINT8: fp16" },
  mxint8Bits: { value: 8.25, unit: "bits", why: "OCP MX 1.0: 32 elements of 8 bits share a scale of 8" },
  activationBits: { value: 16, unit: "bits", why: "the compiler converts what is computed to fp16" },
  logitBits: { value: 32, unit: "bits", why: "the graph returns logits in fp32, through the device's memory" },
  onChipShare: {
    value: 1,
    unit: "of onChip",
    why: "the architecture page: each core has 8 MB of VTCM and 1 MB of L2; what a call computes stays there as far as it fits",
  },
  bandwidthShare: {
    value: 0.42,
    unit: "of what is printed",
    why: "Llama-2-7B in MXFP6 on Ultra: 43.78 tok/s were published, and its weights alone would allow 104",
  },
  linkBandwidth: {
    value: 16e9,
    unit: "bytes a second between devices",
    why: "the architecture page: PCIe Gen4 x8; only plans with --mesh go by it",
  },
  linkLatency: {
    value: 15e-6,
    unit: "seconds before devices hear one another",
    why: "nothing is published: a few transfers over PCIe and a hand-over; it compares meshes (--mesh) and promises nothing",
  },
} as const satisfies Readonly<Record<string, Assumption>>;

/** What is printed of a card, per SoC; a plan for another one says them otherwise. */
function printedOf({ title, memory, bandwidth, onChip, fp16 }: Card) {
  const why = `the vendor's architecture page, for ${title}`;
  return {
    memory: { value: memory, unit: "gigabytes of each device", why },
    bandwidth: { value: bandwidth, unit: "bytes a second, to a device's memory", why },
    onChip: { value: onChip, unit: "bytes on the chip, all cores' together", why },
    fp16: { value: fp16, unit: "operations a second in fp16", why },
  } as const satisfies Readonly<Record<string, Assumption>>;
}

export type Assumed = Readonly<Record<keyof typeof ASSUMPTIONS | keyof ReturnType<typeof printedOf>, number>>;

/** All that a plan for a card goes by and no file says. */
export function assumptionsFor(card: Card): Readonly<Record<keyof Assumed, Assumption>> {
  return { ...printedOf(card), ...ASSUMPTIONS };
}

/** What a device may do without; of rates, sizes and widths none is 0. */
const MAY_BE_NONE: readonly string[] = ["reserve", "onChip", "onChipShare", "linkLatency"];

/** Their values, with some of them said: "reserve=1.5e9,bandwidthShare=0.5". */
export function assume(card: Card, text = ""): Assumed {
  const known = assumptionsFor(card);
  const values = Object.fromEntries(Object.entries(known).map(([name, { value }]) => [name, value]));
  for (const part of text.split(",").map((one) => one.trim())) {
    if (part === "") continue;
    const [name, said] = part.split("=", 2).map((side) => side.trim());
    const value = Number(said);
    if (!Object.hasOwn(known, name!)) throw invalid(`--assume ${name}: there is ${Object.keys(known).join(", ")}`);
    if (said === undefined || said === "" || !Number.isFinite(value) || value < 0)
      throw invalid(`--assume ${part}: write ${name}=NUMBER`);
    if (value === 0 && !MAY_BE_NONE.includes(name!)) throw invalid(`--assume ${part}: it is above 0`);
    values[name!] = value;
  }
  return values as Assumed;
}

function invalid(message: string): TargetError {
  return new TargetError("option-invalid", message);
}

import { TargetError } from "@llm/target";

/** A number that a plan goes by and no file says. */
export interface Assumption {
  readonly value: number;
  readonly unit: string;
  readonly why: string;
}

/** None of them comes from the rows that the plan is held to. */
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
  bandwidthShare: {
    value: 0.42,
    unit: "of what is printed",
    why: "Llama-2-7B in MXFP6 on Ultra: 43.78 tok/s were published, and its weights alone would allow 104",
  },
} as const satisfies Readonly<Record<string, Assumption>>;

export type AssumptionName = keyof typeof ASSUMPTIONS;
export type Assumed = Readonly<Record<AssumptionName, number>>;

/** The assumptions, with some of them said: "reserve=1.5e9,bandwidthShare=0.5". */
export function assume(text = ""): Assumed {
  const values = Object.fromEntries(Object.entries(ASSUMPTIONS).map(([name, { value }]) => [name, value]));
  for (const part of text.split(",").map((one) => one.trim())) {
    if (part === "") continue;
    const [name, said] = part.split("=", 2).map((side) => side.trim());
    const value = Number(said);
    if (!Object.hasOwn(ASSUMPTIONS, name!))
      throw invalid(`--assume ${name}: there is ${Object.keys(ASSUMPTIONS).join(", ")}`);
    if (said === undefined || said === "" || !Number.isFinite(value) || value < 0)
      throw invalid(`--assume ${part}: write ${name}=NUMBER`);
    values[name!] = value;
  }
  return values as Assumed;
}

function invalid(message: string): TargetError {
  return new TargetError("option-invalid", message);
}

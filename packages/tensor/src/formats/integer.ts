import type { FormatEntry } from "./codec.ts";
import { int8 } from "./int8.ts";
import { nBits } from "./n-bits.ts";

/** Group sizes that compilers and kernels have in common. */
const GROUPS = [32, 64, 128];
/** What ONNX Runtime's op takes. */
const ORT_GROUPS = [16, 32, 64, 128, 256];

export const INTEGER_FORMATS: readonly FormatEntry[] = [
  {
    name: "int8",
    title: "int8, a scale per channel or per group",
    options: { group: GROUPS },
    make: int8,
  },
  {
    name: "int4",
    title: "int4, a scale per group, zero points if asked for",
    options: { group: GROUPS, symmetric: true },
    make: ({ group = 32, symmetric = true }) => nBits({ bits: 4, group, symmetric, scales: "f16" }),
  },
  {
    name: "matmulnbits4",
    title: "ONNX Runtime's MatMulNBits, 4 bits",
    options: { group: ORT_GROUPS, symmetric: true },
    make: ({ group = 32, symmetric = true }) => nBits({ bits: 4, group, symmetric, scales: "f32" }),
  },
  {
    name: "matmulnbits8",
    title: "ONNX Runtime's MatMulNBits, 8 bits",
    options: { group: ORT_GROUPS, symmetric: true },
    make: ({ group = 32, symmetric = true }) => nBits({ bits: 8, group, symmetric, scales: "f32" }),
  },
];

import { readFileSync } from "node:fs";
import { addon } from "./addon.ts";

/** What the processor offers to vector code, by the names of Linux's /proc/cpuinfo ("avx2", "avx512_vnni", "asimddp"). */
export interface CpuFeatures {
  readonly arch: string;
  readonly features: readonly string[];
  /** Who says so; "unknown" means that nothing could be found out, not that there is nothing. */
  readonly source: "addon" | "cpuinfo" | "unknown";
}

/** Those that some kernel chooses by; the addon's tables list the same. */
const X64 = [
  "sse4_1",
  "avx",
  "f16c",
  "fma",
  "avx2",
  "avx512f",
  "avx512dq",
  "avx512bw",
  "avx512vl",
  "avx512_vnni",
  "avx512_fp16",
  "amx_bf16",
  "amx_tile",
  "amx_int8",
  "avx_vnni",
  "avx512_bf16",
];
const ARM64 = ["asimd", "asimdhp", "asimddp", "sve", "sve2", "i8mm", "bf16"];

/** The features named on the first processor's line of a /proc/cpuinfo; undefined when there is no such line. */
export function parseCpuinfo(text: string): string[] | undefined {
  const line = /^(?:flags|Features)[ \t]*:(.*)$/m.exec(text);
  if (line === null) return undefined;
  const flags = new Set(line[1]!.trim().split(/\s+/));
  return [...X64, ...ARM64].filter((name) => flags.has(name));
}

/**
 * What this machine's processor can do: from the addon, else from /proc/cpuinfo, else unknown.
 *
 * @example
 * cpuFeatures().features.includes("avx2");
 */
export function cpuFeatures(): CpuFeatures {
  const native = addon();
  if (native) return { arch: process.arch, features: native.cpuFeatures(), source: "addon" };
  const features = cpuinfoFeatures();
  if (features) return { arch: process.arch, features, source: "cpuinfo" };
  return { arch: process.arch, features: [], source: "unknown" };
}

/** What /proc/cpuinfo says; undefined where there is none. */
export function cpuinfoFeatures(file = "/proc/cpuinfo"): string[] | undefined {
  try {
    return parseCpuinfo(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

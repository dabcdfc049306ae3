import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { runTool } from "../tools/run-tool.ts";
import type { Toolchain } from "../tools/toolchain.ts";

/** How the compiler is to treat one net. */
export interface NetSettings {
  /** Numbers in 16 bits, or in 32 where nothing is large and every digit counts. */
  readonly numbers: "F16" | "F32";
  /** Inputs and outputs that are 16-bit in the binary, too: what goes from net to net on the device. */
  readonly halfInputs: boolean;
  readonly halfOutputs: boolean;
  /** Inputs and outputs at addresses of their own: a history stays where it is from call to call. */
  readonly ioAlone: boolean;
}

export interface CompiledNet {
  readonly bmodel: string;
  readonly peakRssBytes: number;
  /** The most that the folder held at once. */
  readonly peakDiskBytes: number;
}

/**
 * Compiles `<name>.mlir` and its arrays in `folder` to `<name>.bmodel`: lowering, optimisation with addresses, and code, each
 * a run of the vendor's program, as its own script has them. What is in between is removed as soon as it was read.
 */
export async function compileNet(
  toolchain: Toolchain,
  folder: string,
  name: string,
  settings: NetSettings,
  signal?: AbortSignal,
): Promise<CompiledNet> {
  let [peakRssBytes, peakDiskBytes] = [0, 0];
  const run = async (args: readonly string[]): Promise<void> => {
    const result = await runTool(toolchain, "tpuc-opt", { args, folder, ...(signal ? { signal } : {}) });
    peakRssBytes = Math.max(peakRssBytes, result.peakRssBytes);
    // Programs only add files, so that there are most when one ends.
    peakDiskBytes = Math.max(peakDiskBytes, await folderBytes(folder));
  };
  await run(lowering(name, settings));
  await remove(folder, [`${name}.npz`]);
  await run(optimisation(name, settings));
  await remove(folder, [`${name}_lowered.npz`]);
  await run(codegen(name));
  return { bmodel: join(folder, `${name}.bmodel`), peakRssBytes, peakDiskBytes };
}

async function folderBytes(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folder, { recursive: true })) {
    const found = await stat(join(folder, name));
    if (found.isFile()) bytes += found.size;
  }
  return bytes;
}

function lowering(name: string, { ioAlone, numbers }: NetSettings): readonly string[] {
  return [
    `${name}.mlir`,
    `--processor-assign=chip=bm1684x mode=${numbers} num_device=1 num_core=1 addr_mode=${ioAlone ? "io_alone" : "basic"} high_precision=False`,
    "--processor-top-optimize",
    `--convert-top-to-tpu=weightFileName=${name}_lowered.npz asymmetric=False doWinograd=False q_group_size=0 q_symmetric=False matmul_perchannel=False gelu_mode=normal`,
    "--canonicalize",
    "--weight-fold",
    "-o",
    `${name}_tpu.mlir`,
  ];
}

/** Ops stay in the order they are written in, so that both nets of a block have their weights in one order: they are stored once. */
function optimisation(name: string, { halfInputs, halfOutputs }: NetSettings): readonly string[] {
  const io = `quant_input=${flag(halfInputs)} quant_output=${flag(halfOutputs)}`;
  return [
    `${name}_tpu.mlir`,
    "--mlir-disable-threading",
    `--strip-io-quant=${io} quant_input_list= quant_output_list= quant_output_bf16=False quant_input_int8=False quant_output_int8=False`,
    "--processor-tpu-optimize",
    "--dev-parallel",
    "--weight-reorder",
    "--subnet-divide=dynamic=False",
    "--op-reorder",
    "--layer-group=opt=2 group_by_cores=auto compress_mode=none debugger=0 disable_group_overlap=false lgcache=true config_filename= enable_lghash=False lghash_dir=",
    "--affine-opt",
    "--core-parallel",
    "--after-layergroup-weight-reorder",
    "--address-assign",
    "-o",
    `${name}_final.mlir`,
  ];
}

function codegen(name: string): readonly string[] {
  return [
    `${name}_final.mlir`,
    `--codegen=model_file=${name}.bmodel embed_debug_info=False model_version=latest bmodel_only=False gdma_check=False rvti=False`,
    "-o",
    "/dev/null",
  ];
}

function flag(value: boolean): string {
  return value ? "True" : "False";
}

async function remove(folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) await rm(join(folder, name), { force: true });
}

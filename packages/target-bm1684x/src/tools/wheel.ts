import { TPU_MLIR_VERSION } from "./toolchain.ts";

/** The wheel on PyPI, and all that is taken out of it: less than a fifth. */
export const WHEEL = {
  requirement: `tpu-mlir==${TPU_MLIR_VERSION}`,
  file: `tpu_mlir-${TPU_MLIR_VERSION}-py3-none-any.whl`,
  sha256: "542807361c9eeb0777a7bd35e501d8c71cce767e4bce021a3cb3a7c25c35f909",
  /** Tagged for this Python, of which nothing here needs any. */
  pythonVersion: "3.10",
  license: `tpu_mlir-${TPU_MLIR_VERSION}.dist-info/licenses/LICENSE`,
} as const;

/**
 * What compiling and simulating take. The wheel also brings a C library of its own, older than many machines', which breaks
 * whatever loads it beside theirs: it stays where it is, and so do the libraries of other chips.
 */
export const WHEEL_FILES: readonly string[] = [
  "bin/tpuc-opt",
  "bin/model_tool",
  "lib/libortools.so.9",
  "lib/libbackend_bm1684x.so",
  "lib/libbm1684x_kernel_module.so",
  "lib/libcmodel_bm1684x.so",
  "lib/libcpuop.so",
  "lib/libbmlib_bm1684x.so.0",
  "lib/libbmrt.so.1.0",
  "lib/third_party/libdnnl.so.3",
  "lib/third_party/libomp.so.5",
];

/** Names under which libraries look for each other: in the wheel these are whichever chip was used last. */
export const WHEEL_LINKS: Readonly<Record<string, string>> = {
  "lib/libcmodel.so": "libcmodel_bm1684x.so",
  "lib/libbmlib.so.0": "libbmlib_bm1684x.so.0",
};

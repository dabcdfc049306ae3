import { existsSync } from "node:fs";
import { join } from "node:path";
import { NativeError } from "../error.ts";
import type { BmrtLibraries } from "./device.ts";

export interface FindOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The folder of an unpacked tpu-mlir wheel, for its simulator; without it a real device's libraries are looked for. */
  readonly simulator?: string;
  readonly exists?: (path: string) => boolean;
}

/** Where the vendor's packages put their libraries: on a host with cards, and on the chip's own Linux. */
const USUAL = ["/opt/sophon/libsophon-current/lib", "/usr/lib", "/usr/local/lib", "/system/lib"] as const;

/** Parts of LIBSOPHON_DIR that may hold them. */
const INSIDE = ["lib", "libsophon-current/lib", "."] as const;

const BMLIB = ["libbmlib.so", "libbmlib.so.0"] as const;
const BMRT = ["libbmrt.so", "libbmrt.so.1.0"] as const;

/** The simulator's names come first: plain ones are of whichever chip was used last. */
const SIMULATED_BMLIB = ["libbmlib_bm1684x.so.0", "libbmlib.so.0"] as const;
const SIMULATED_CHIP = ["libcmodel_bm1684x.so", "libcmodel.so"] as const;

/** Finds the vendor's libraries, or says where they were looked for. `LIBSOPHON_DIR` is looked at first, and then only. */
export function findBmrt({ env = process.env, simulator, exists = existsSync }: FindOptions = {}): BmrtLibraries {
  if (simulator !== undefined) return simulated(simulator, exists);
  const own = env.LIBSOPHON_DIR;
  const places = own ? INSIDE.map((part) => join(own, part)) : USUAL;
  for (const folder of places) {
    const bmlib = firstOf(folder, BMLIB, exists);
    const bmrt = firstOf(folder, BMRT, exists);
    if (bmlib !== undefined && bmrt !== undefined) return { bmlib, bmrt };
  }
  const where = own ? `LIBSOPHON_DIR=${own}` : `${USUAL.slice(0, -1).join(", ")} or ${USUAL.at(-1)}`;
  throw new NativeError(
    "runtime-missing",
    `there is no libsophon (libbmlib.so and libbmrt.so) in ${where}; install it, or set LIBSOPHON_DIR`,
  );
}

function simulated(wheel: string, exists: (path: string) => boolean): BmrtLibraries {
  const folder = join(wheel, "lib");
  const bmlib = firstOf(folder, SIMULATED_BMLIB, exists);
  const bmrt = firstOf(folder, [...BMRT].reverse(), exists);
  const firmware = firstOf(folder, SIMULATED_CHIP, exists);
  if (bmlib !== undefined && bmrt !== undefined && firmware !== undefined) return { bmlib, bmrt, firmware };
  throw new NativeError("runtime-missing", `${folder} has no simulator (libbmlib, libbmrt and libcmodel of BM1684X)`);
}

function firstOf(folder: string, names: readonly string[], exists: (path: string) => boolean): string | undefined {
  return names.map((name) => join(folder, name)).find(exists);
}

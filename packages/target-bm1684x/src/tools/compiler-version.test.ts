import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { orderUnits, toolVersions, unitKeys } from "@llm/target/engine";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { bm1684xTarget } from "../bm1684x-target.ts";
import { requestFor } from "../testing/build-model.ts";
import { FAMILIES } from "../testing/families.ts";
import { optionsOf } from "../testing/options.ts";
import { randomModel } from "../testing/random-model.ts";
import { compilerVersion } from "./compiler-version.ts";
import { TPU_MLIR_VERSION } from "./toolchain.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "llm-bm1684x-own-"));
  for (const name of ["bin", "lib"]) mkdirSync(join(folder, name));
  write("bin/tpuc-opt", "\0\0LLVM 19.1.7\0v1.31-20261004\0\0");
  write("bin/model_tool", "tool");
  write("lib/libbackend_bm1684x.so", "backend");
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

function write(path: string, text: string): void {
  writeFileSync(join(folder, path), text);
}

const version = () => compilerVersion({ folder, own: true });

test("an own copy is known by the version in it, and by what it is", () => {
  const before = version();
  expect(before).toMatch(/^1\.31-20261004\+[0-9a-f]{16}$/);
  expect(version()).toBe(before);
  write("lib/libbackend_bm1684x.so", "another");
  expect(version()).toMatch(/^1\.31-20261004\+/);
  expect(version()).not.toBe(before);
});

test("one that doesn't say its version is still told from others", () => {
  write("bin/tpuc-opt", "no version");
  const before = version();
  expect(before).toMatch(/^unknown\+[0-9a-f]{16}$/);
  write("bin/tpuc-opt", "no version, either");
  expect(version()).not.toBe(before);
});

test("ours is its version, there or not", () => {
  expect(compilerVersion({ folder, own: false })).toBe(TPU_MLIR_VERSION);
  expect(compilerVersion({ folder: join(folder, "nothing"), own: true })).toBe(TPU_MLIR_VERSION);
});

test("what TPU_MLIR_DIR points to is in the keys of all that it makes, and in nothing else of them", () => {
  const { program, options } = requestFor(randomModel(FAMILIES.gpt2!, 1), optionsOf({ ctxLen: 16 }), folder);
  const made = () => {
    const units = orderUnits(bm1684xTarget.units(program, options));
    const tools = toolVersions(bm1684xTarget, units);
    return { units, tools, keys: [...unitKeys(units, { target: "bm1684x", tools, source: "" }).values()] };
  };
  vi.stubEnv("TPU_MLIR_DIR", "");
  const ours = made();
  vi.stubEnv("TPU_MLIR_DIR", folder);
  const own = made();
  expect(ours.tools).toEqual({ "tpu-mlir": TPU_MLIR_VERSION });
  expect(own.tools).toEqual({ "tpu-mlir": version() });
  expect(own.units).toEqual(ours.units);
  expect(own.keys.filter((key) => ours.keys.includes(key))).toEqual([]);
});

import { ToolchainError } from "../error.ts";

/** The first file of a pack, which says what the others are. */
export const INDEX = "llm-pack.json";

/** A list of some thousand files is far below this. */
export const MOST_INDEX_BYTES = 16 << 20;

export interface PackIndex {
  readonly schemaVersion: 1;
  /** What is opened once it is unpacked: its folder (an artefact), or this file in it. */
  readonly opens: string;
  readonly files: readonly PackedFile[];
}

export interface PackedFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly modified: number;
}

/** Reads and checks an index: paths stay inside, sizes are sizes. */
export function parseIndex(text: string, pack: string): PackIndex {
  const fail = (what: string) => new ToolchainError("pack-invalid", `${pack}: ${what}; pack it again`);
  let value: PackIndex;
  try {
    value = JSON.parse(text) as PackIndex;
  } catch {
    throw fail("its list of files is no JSON");
  }
  if (value?.schemaVersion !== 1)
    throw new ToolchainError("pack-invalid", `${pack}: packed by a newer version of this program; update it`);
  if (!Array.isArray(value.files) || !value.files.every(isFile)) throw fail("its list of files makes no sense");
  if (value.opens !== "." && !value.files.some(({ path }) => path === value.opens)) throw fail("it opens nothing");
  return value;
}

function isFile(file: unknown): boolean {
  const { path, bytes, sha256, modified } = (file ?? {}) as Partial<PackedFile>;
  return (
    typeof path === "string" &&
    isInside(path) &&
    Number.isSafeInteger(bytes) &&
    bytes! >= 0 &&
    /^[0-9a-f]{64}$/.test(sha256 ?? "") &&
    typeof modified === "number"
  );
}

function isInside(path: string): boolean {
  const parts = path.split("/");
  return (
    !path.includes("\\") && !path.includes("\0") && parts.every((part) => part !== "" && part !== "." && part !== "..")
  );
}

import { describe, expect, it } from "vitest";
import { readNpy } from "./npy.ts";

/** What numpy.save writes, version 1. */
function npy(descr: string, shape: string, data: ArrayBufferLike, order = "False"): Uint8Array {
  const text = `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`;
  const padded = `${text.padEnd(117, " ")}\n`;
  const head = Buffer.alloc(10);
  head.write("\x93NUMPY\x01\x00", "latin1");
  head.writeUInt16LE(padded.length, 8);
  return new Uint8Array(Buffer.concat([head, Buffer.from(padded), Buffer.from(data)])); // a copy: Node's buffers share a pool
}

describe("readNpy", () => {
  it("reads floats and whole numbers with their shapes", () => {
    const floats = readNpy(npy("<f4", "(2, 2)", Float32Array.of(1, 2, 3, 4).buffer), "a.npy");
    expect(floats).toEqual({ dtype: "f32", shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) });
    expect(readNpy(npy("<i8", "(1,)", BigInt64Array.of(7n).buffer), "a.npy").data).toEqual(BigInt64Array.of(7n));
  });

  it.each([
    ["garbage", Buffer.from("not numpy at all"), "is no .npy file"],
    ["a cut file", npy("<f4", "(2, 2)", Float32Array.of(1).buffer), "has 4 bytes of data, its shape [2, 2] needs 16"],
    ["objects", npy("|O", "(1,)", new ArrayBuffer(8)), "holds |O"],
    ["Fortran's order", npy("<f4", "(1,)", new ArrayBuffer(4), "True"), "is in Fortran's order"],
  ])("refuses %s in one line", (_what, bytes, message) => {
    expect(() => readNpy(bytes, "a.npy")).toThrow(`a.npy: ${message}`);
  });
});

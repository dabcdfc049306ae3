import { describe, expect, test } from "vitest";
import { findBmrt } from "./libraries.ts";

const among = (...files: string[]) => ({ exists: (path: string) => files.includes(path) });

describe("the vendor's libraries", () => {
  test("are found where its package puts them", () => {
    const lib = "/opt/sophon/libsophon-current/lib";
    expect(findBmrt({ env: {}, ...among(`${lib}/libbmlib.so`, `${lib}/libbmrt.so`) })).toEqual({
      bmlib: `${lib}/libbmlib.so`,
      bmrt: `${lib}/libbmrt.so`,
    });
  });

  test("are those of LIBSOPHON_DIR and of nowhere else, where it is set", () => {
    const usual = ["/usr/lib/libbmlib.so", "/usr/lib/libbmrt.so"];
    const env = { LIBSOPHON_DIR: "/home/me/libsophon" };
    const own = ["/home/me/libsophon/lib/libbmlib.so.0", "/home/me/libsophon/lib/libbmrt.so.1.0"];
    expect(findBmrt({ env, ...among(...usual, ...own) }).bmlib).toBe(own[0]);
    expect(() => findBmrt({ env, ...among(...usual) })).toThrow("in LIBSOPHON_DIR=/home/me/libsophon; install it");
  });

  test("of the simulator bring the chip along", () => {
    const lib = "/wheel/lib";
    const files = ["libbmlib.so.0", "libbmlib_bm1684x.so.0", "libbmrt.so.1.0", "libcmodel_bm1684x.so"];
    const all = files.map((file) => `${lib}/${file}`);
    expect(findBmrt({ simulator: "/wheel", ...among(...all) })).toEqual({
      bmlib: `${lib}/libbmlib_bm1684x.so.0`,
      bmrt: `${lib}/libbmrt.so.1.0`,
      firmware: `${lib}/libcmodel_bm1684x.so`,
    });
    expect(() => findBmrt({ simulator: "/wheel", ...among(...all.slice(0, 3)) })).toThrow("no simulator");
  });

  test("that are nowhere are an error that says where was looked", () => {
    expect(() => findBmrt({ env: {}, ...among() })).toThrow(/libsophon-current.*LIBSOPHON_DIR/);
  });
});

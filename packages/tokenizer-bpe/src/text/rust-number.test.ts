import { expect, it } from "vitest";
import { rustNumber } from "./rust-number.ts";

// The right column is what the Rust library wrote back after reading the left one.
it.each([
  ["-7.3350710476563465", -7.335071047656347],
  ["-9.882508480587255", -9.882508480587257],
  ["-3.9987110216657804", -3.998711021665781],
  ["-9.052625977932017", -9.052625977932015],
  ["-5.247839452992087", -5.247839452992087],
])("reads %s as Rust does", (text, value) => {
  expect(rustNumber(text)).toBe(value);
});

it("reads plain numbers, exponents and very small ones", () => {
  expect(rustNumber("0")).toBe(0);
  expect(rustNumber("-0.5e1")).toBe(-5);
  expect(rustNumber("1e-400")).toBe(0);
  expect(() => rustNumber("1e999")).toThrow("too large");
  expect(() => rustNumber("nope")).toThrow("not a number");
});

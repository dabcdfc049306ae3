import { expect, it } from "vitest";
import { problemOf } from "./problems.ts";

const asked = (body: unknown) => ({ id: "req_1", url: "/v1/completions", body });
const endless = (): number => 1 + endless();

function outOfStack(): unknown {
  try {
    return endless();
  } catch (error) {
    return error;
  }
}

it("is the request's where following the form that it asks for takes more room than there is", () => {
  const error = outOfStack();
  expect(problemOf(error, asked({ prompt: "x", regex: "((((" }))).toMatchObject({ status: 400, param: "regex" });
  expect(problemOf(error, asked({ prompt: "x" })).status).toBe(500);
  expect(problemOf(new RangeError("Invalid array length"), asked({ regex: "a" })).status).toBe(500);
});

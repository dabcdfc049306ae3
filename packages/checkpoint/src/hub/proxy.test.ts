import { expect, test } from "vitest";
import { goesDirectly } from "./proxy.ts";

test.each([
  ["", "https://hub.example", false],
  ["*", "https://hub.example", true],
  ["hub.example", "https://hub.example/x", true],
  ["example", "https://hub.example", true],
  [".example", "https://hub.example", true],
  ["*.example", "https://hub.example", true],
  ["ub.example", "https://hub.example", false],
  ["other, 127.0.0.1", "http://127.0.0.1:8080", true],
  ["127.0.0.1:80", "http://127.0.0.1:8080", false],
  ["127.0.0.1:8080 other", "http://127.0.0.1:8080", true],
  ["HUB.example:443", "https://hub.example", true],
])("NO_PROXY=%s and %s: directly %s", (list, url, directly) => {
  expect(goesDirectly(list, new URL(url))).toBe(directly);
});

import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { CONTENT_SECURITY_POLICY, playgroundFiles } from "./index.ts";

it("is small: what a visitor loads, compressed", async () => {
  const files = await playgroundFiles();
  const bytes = [...files].reduce((sum, [path, { body }]) => sum + (path === "" ? 0 : gzipSync(body).length), 0);
  expect(bytes).toBeGreaterThan(5_000);
  expect(bytes).toBeLessThan(150_000);
});

it("asks nobody but its own server for anything", async () => {
  for (const [path, { body }] of await playgroundFiles()) {
    const text = body.toString().replaceAll("http://www.w3.org/2000/svg", "");
    expect(text, path).not.toMatch(/https?:\/\/|\/\/[a-z]+\.[a-z]{2,}\//);
    expect(text, path).not.toMatch(/ on[a-z]+=|javascript:/);
  }
  expect(CONTENT_SECURITY_POLICY).not.toContain("unsafe");
});

it("is made of modules that a browser can load: no types, every import there", async () => {
  const files = await playgroundFiles();
  for (const [path, { body }] of files) {
    if (!path.startsWith("page/")) continue;
    for (const [, name] of body.toString().matchAll(/from "\.\/([^"]+)"/g))
      expect(files.has(`page/${name}`), `${path}: ${name}`).toBe(true);
  }
  expect(files.get("")!.body.toString()).toContain('src="page/main.js"');
});

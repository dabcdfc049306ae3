import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { removeToken, storeToken } from "./login.ts";
import { hubSettings } from "./settings.ts";

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "login-"));
});
afterEach(() => rm(home, { recursive: true }));

test("a stored token is what requests use, for its owner's eyes, until it is removed", async () => {
  const env = { HF_HOME: join(home, "hf") };
  const path = await storeToken(" hf_first\n", env);
  await storeToken("hf_second", env);
  expect(path).toBe(join(home, "hf", "token"));
  expect(await readFile(path, "utf8")).toBe("hf_second");
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(join(home, "hf"))).toEqual(["token"]);
  expect((await hubSettings({ env })).token).toBe("hf_second");
  expect(await removeToken(env)).toBe(path);
  expect(await removeToken(env)).toBeUndefined();
  expect((await hubSettings({ env })).token).toBeUndefined();
});

test.each(["", "two words", "x".repeat(2000), "h\u00fcb"])(
  "what can't be a token is refused, unprinted: %j",
  async (text) => {
    const refusal = await storeToken(text, { HF_HOME: home }).catch((error: Error) => error.message);
    expect(refusal).toBe("that is no token: one word of plain characters is expected");
    expect(await readdir(home)).toEqual([]);
  },
);

test("a place that can't be written to is named", async () => {
  await storeToken("hf_x", { HF_HOME: home });
  await expect(storeToken("hf_x", { HF_HOME: join(home, "token") })).rejects.toThrow(
    /token\/token: the token can't be written/,
  );
});

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { unannouncedChanges } from "./changesets.ts";
import { git } from "./git.ts";
import { root, workspacePackages } from "./workspace.ts";

let base: string;

function put(path: string, text: string): void {
  mkdirSync(dirname(join(base, path)), { recursive: true });
  writeFileSync(join(base, path), text);
}

function commit(message: string): void {
  git(base, "add", "-A");
  const own = ["user.name=t", "user.email=t@t", "commit.gpgSign=false", "core.hooksPath=/dev/null"];
  git(base, ...own.flatMap((setting) => ["-c", setting]), "commit", "-qm", message);
}

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "changesets-"));
  git(base, "init", "-q");
  put("pnpm-workspace.yaml", "packages:\n  - packages/*\n  - tooling/*\n");
  put("packages/tensor/package.json", JSON.stringify({ name: "@llm/tensor" }));
  put("packages/tensor/src/index.ts", "export {};\n");
  put("tooling/bench/package.json", JSON.stringify({ name: "@llm/bench", private: true }));
  commit("release");
});
afterEach(() => rmSync(base, { recursive: true }));

describe("the changeset check", () => {
  it("fails for a change without a changeset and passes with one", () => {
    put("packages/tensor/src/index.ts", "export const x = 1;\n");
    commit("change");
    expect(unannouncedChanges(base)).toEqual([
      "@llm/tensor: packages/tensor/src/index.ts changed since the last release without a changeset; run `pnpm changeset`",
    ]);
    put(".changeset/brave-dogs.md", '---\n"@llm/tensor": minor\n---\n\nAdds x.\n');
    commit("announce");
    expect(unannouncedChanges(base)).toEqual([]);
  });

  it("asks nothing for tests, private packages or what an earlier release announced", () => {
    put("packages/tensor/src/index.test.ts", "");
    put("tooling/bench/src/index.ts", "");
    commit("tests and tools");
    expect(unannouncedChanges(base)).toEqual([]);
    put("packages/tensor/src/index.ts", "export const y = 1;\n");
    put(".changeset/released", "0.1.0\n");
    commit("release again");
    expect(unannouncedChanges(base)).toEqual([]);
  });
});

it("versions what is published, and nothing else", () => {
  const { ignore } = JSON.parse(readFileSync(join(root, ".changeset/config.json"), "utf8")) as { ignore: string[] };
  const ours = workspacePackages().filter(({ manifest }) => manifest.private);
  expect(ignore.toSorted()).toEqual(ours.map(({ manifest }) => manifest.name).toSorted());
});

import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { goldenDir } from "@llm/fixtures";
import { openArtefact } from "@llm/target/engine";
import { afterAll, describe, expect, it } from "vitest";
import { build, buildExports, prepare } from "./build.ts";
import { exportForTransformersJs } from "./export-onnx.ts";
import { openModel } from "./open-model.ts";
import { findTarget } from "./targets.ts";
import { scratch } from "./testing/scratch.ts";
import { openTokenizer } from "./tokenizer.ts";

const { folder, env } = scratch();
const { target } = await findTarget("cpu");
const model = await openModel(goldenDir("gpt2"));
afterAll(() => model.close());

describe("building", () => {
  it("makes an artefact once, whatever is asked of the run", async () => {
    const first = await build(await prepare(model, target), { env });
    expect(first.upToDate).toBe(false);
    expect(first.artefact.manifest.model).toMatchObject({ name: "gpt2", architecture: "gpt2" });
    const again = await build(await prepare(model, target, { batchSize: 3 }), { env }); // no part of the artefact
    expect(again).toMatchObject({ upToDate: true, artefact: { folder: first.artefact.folder } });
    expect(again.units.every(({ cached }) => cached)).toBe(true);
  });

  it("goes by content: another checkpoint, another key; the same elsewhere, the same artefact", async () => {
    const other = await openModel(goldenDir("gpt2_scaled"));
    const [a, b, c] = [await prepare(model, target), await prepare(other, target), await prepare(model, target)];
    expect(a.key).not.toBe(b.key);
    expect(a.key).toBe(c.key);
    await other.close();
  });

  it("makes again what was damaged, and all of it when forced", async () => {
    const prepared = await prepare(model, target);
    const { artefact } = await build(prepared, { env });
    truncateSync(join(artefact.folder, "decoder.onnx"), 10);
    expect(await build(prepared, { env })).toMatchObject({ artefact: { folder: artefact.folder } });
    await openArtefact(artefact.folder, { thorough: true });
    const forced = await build(prepared, { env, force: true });
    expect(forced.units.some(({ cached }) => cached)).toBe(false);
    rmSync(artefact.folder, { recursive: true });
  });

  it.each<[string, (folder: string) => void]>([
    ["has lost its manifest", (folder) => rmSync(join(folder, "manifest.json"))],
    [
      "is a plain file",
      (folder) => {
        rmSync(folder, { recursive: true });
        writeFileSync(folder, "");
      },
    ],
  ])("replaces what is in the cache and %s", async (_, spoil) => {
    const prepared = await prepare(model, target);
    const { artefact } = await build(prepared, { env });
    spoil(artefact.folder);
    await build(prepared, { env });
    await openArtefact(artefact.folder, { thorough: true });
  });

  it.each<[string, (file: string) => void]>([
    [
      "flipped",
      (file) => {
        const bytes = readFileSync(file);
        bytes[bytes.length >> 1]! ^= 1;
        writeFileSync(file, bytes);
      },
    ],
    ["cut off", (file) => truncateSync(file, 100)],
    ["gone", (file) => rmSync(file)],
  ])("packs weights again whose file has bytes %s, and refuses to open it", async (_, spoil) => {
    const prepared = await prepare(model, target, { format: "int4" });
    const { artefact } = await build(prepared, { env });
    const file = join(artefact.folder, "decoder.onnx.data");
    const whole = readFileSync(file);
    spoil(file);
    await expect(openArtefact(artefact.folder)).rejects.toMatchObject({ code: "artefact-damaged" });
    await build(prepared, { env });
    expect(readFileSync(file).equals(whole)).toBe(true);
    expect(await build(prepared, { env })).toMatchObject({ upToDate: true });
  });

  it("replaces damaged bytes when forced", async () => {
    const prepared = await prepare(model, target);
    const { folder: place } = (await build(prepared, { env })).artefact;
    const file = join(place, "decoder.onnx");
    const bytes = readFileSync(file);
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(file, bytes);
    await build(prepared, { env, force: true });
    await openArtefact(place, { thorough: true });
  });

  it("says which folder can't be written to, and what to set", async () => {
    const nowhere = { HOME: folder, XDG_CACHE_HOME: "/dev/null/x" };
    await expect(build(await prepare(model, target), { env: nowhere })).rejects.toMatchObject({
      code: "write-failed",
      message: expect.stringMatching(/^\/dev\/null\/x\/llm\/units can't be written to \(ENOTDIR\); set XDG_CACHE_HOME/),
    });
  });

  it("brings the tokenizer along when there is one, and goes where it is told", async () => {
    const demo = await openModel(join(import.meta.dirname, "../../demo-model"), { name: "demo" });
    const out = join(folder, "out");
    const { artefact } = await build(await prepare(demo, target), { env, folder: out });
    expect(artefact.folder).toBe(out);
    expect(readdirSync(join(out, "model"))).toContain("tokenizer.json");
    expect(readdirSync(join(out, "model"))).not.toContain("package.json");
    await demo.close();
  });

  it("brings along templates of every name, in a folder of their own", async () => {
    const checkpoint = join(folder, "templates");
    cpSync(join(import.meta.dirname, "../../demo-model"), checkpoint, { recursive: true });
    mkdirSync(join(checkpoint, "additional_chat_templates"));
    writeFileSync(join(checkpoint, "additional_chat_templates", "tool_use.jinja"), "Tools: {{ tools | length }}");
    const demo = await openModel(checkpoint);
    const out = join(folder, "with-templates");
    await build(await prepare(demo, target), { env, folder: out });
    const js = join(folder, "js");
    await exportForTransformersJs(demo, { folder: js, dtypes: ["fp32"] });
    await demo.close();
    for (const place of [out, js]) {
      const tokenizer = await openTokenizer(place);
      expect(tokenizer.applyChatTemplate([{ role: "user", content: "Hi" }], { tools: [{}, {}] })).toBe("Tools: 2");
    }
  });

  it("builds exports alone for those who have to look at them first", async () => {
    const { units, artefact } = await buildExports(await prepare(model, target), { env });
    expect(units.length).toBeGreaterThan(0);
    expect(existsSync(artefact.folder)).toBe(false);
  });

  it("refuses options that the target doesn't have", async () => {
    await expect(prepare(model, target, { cores: 4 })).rejects.toMatchObject({
      code: "option-invalid",
      message: expect.stringMatching(/^target cpu has no option cores; it has: /),
    });
    await expect(prepare(model, target, { batchSize: 0 })).rejects.toThrow(
      "batchSize is at least 1, not 0 (--batch-size)",
    );
    await expect(prepare(model, target, { threads: 1.5 })).rejects.toThrow("threads is a whole number, not 1.5");
  });
});

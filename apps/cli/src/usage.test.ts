import { afterAll, describe, expect, it } from "vitest";
import { jsonOf, runCli, testHome } from "./testing/run-cli.ts";

const { home, remove } = testHome();
afterAll(remove);

describe("wrong usage is one line and exit code 2", () => {
  it.each<[string[], string]>([
    [["frobnicate"], "there is no command frobnicate; `llm --help` lists what there is"],
    [["--json"], "a command comes first"],
    [["verify", "--layers", "0-9"], "layers 0-9 don't exist: the model has 0-5"],
    [["run", "no/such", "--json-schema", "false"], "no value is valid by the schema"],
    [["run", "no/such", "--json-schema", "[]"], "a JSON schema is an object or a boolean"],
    [["infer", "no/such", "-p", "x", "--json-schema", "5"], "a JSON schema is an object or a boolean"],
    [["chat", "no/such", "--json-schema", '"a"'], "a JSON schema is an object or a boolean"],
    [["chat", "no/such", "--json-schema", "{a"], "--json-schema is not JSON: "],
    [["run", "no/such", "--regex", "("], "unterminated group"],
    [["run", "no/such", "--num-beams", "4", "--temperature", "1"], "--temperature can't be had with --num-beams 4"],
    [["run", "no/such", "--num-beams", "4", "--regex", "a"], "--regex can't be had with --num-beams 4"],
    [["run", "no/such", "--num-beams", "2", "--speculate"], "--speculate can't be had with --num-beams 2"],
    [["logits"], "needs --ids 1,2,3 or --prompt TEXT"],
    [["run", "--threads", "1.5"], '--threads is a whole number, not "1.5"'],
    [["run", "--ctx-len", "1e-1"], '--ctx-len is a whole number, not "1e-1"'],
    [["infer", "--repetition-penalty", "0"], "--repetition-penalty is above 0, not 0"],
    [["logits", "--ids", "1,a"], "takes token ids"],
    [["compile", "no/such", "--target", "onnx"], "llm export MODEL --target onnx --out DIR"],
    [["export"], "needs --out DIR"],
    [["export", "--format", "int4", "--out", "x"], "--format is for --target aic100 or bm1684x or cpu: say which"],
    [["export", "--target", "cpu", "--copy", "--out", "x"], "--copy is for --target onnx"],
    [["export", "--no-save-fp32-onnx", "--out", "x"], "neither fp32 nor fp16 is to be saved"],
    [["export", "--dtypes", "q8", "--out", "x"], "--dtypes is for --target transformersjs, not for --target onnx"],
    [
      ["export", "--target", "transformersjs", "--dtypes", "q5", "--out", "x"],
      "--dtypes is a list of fp32, fp16, q8, q4",
    ],
    [["inspect", "--config", "novalue"], "--config"],
    [["tokenize", "no/such", "--in", "f.jsonl", "text"], "TEXT and --in FILE both say what to tokenize"],
    [["detokenize", "no/such", "--in", "f.jsonl", "1,2"], "IDS and --in FILE both say what to detokenize"],
    [["run", "no/such", "--target", "reference"], '"reference" is the plain interpreter'],
    [["tokenize", "no/such", "--in", "."], "--in .: it is a folder, not a file"],
    [["inspect", "no/such", "--config", "novalue"], "--config: "],
    [["verify", "--ids", "1,99999"], "token 99999 is not in the vocabulary of 4096"],
    [["verify", "no/such", "--ids", "1,a"], "takes token ids"],
    [["verify", "no/such", "--layers", "x"], "layers are said as A-B or A"],
    [["verify", "no/such", "--against", "nope"], "--against nope: there is no such file or folder"],
    [["verify", "no/such", "--html", "."], "--html .: it is a folder; name the file that is to be written"],
    [["plan", "no/such", "--html", "."], "--html .: it is a folder"],
    [["inspect", "no/such", "--html", "."], "--html .: it is a folder"],
    [["conformance", "no/such", "--report", "."], "--report .: it is a folder"],
    [["logits", "no/such", "--ids", "1", "--out", "."], "--out .: it is a folder"],
    [["tokenize", "demo", "--in", "/nonexistent.jsonl"], "--in /nonexistent.jsonl: there is no such file"],
  ])("llm %j", async (args, says) => {
    const { code, stdout, stderr } = await runCli(args, home);
    expect(stderr).toMatch(/^llm: [^\n]+\n$/);
    expect(stderr).toContain(says);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });
});

describe("other exit codes", () => {
  it("2 for a token that the model doesn't have", async () => {
    const { code, stderr } = await runCli(["logits", "--ids", "1,99999"], home);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining("token 99999 is not in the vocabulary"),
    });
  });

  it("0 for what was exported before, which writes nothing again", async () => {
    const args = ["export", "demo", "--target", "cpu", "--out", "d", "--json"];
    await runCli(args, home);
    expect(jsonOf(await runCli(args, home))).toMatchObject({ bytesWritten: 0, upToDate: true });
    expect(jsonOf(await runCli([...args, "--force"], home)).bytesWritten).toBeGreaterThan(1e6);
  });

  it.each([
    ["batch_size=0", "batch_size is from 1 to"],
    ["tokens=5", "no size is called tokens; these are open: batch_size, sequence_length, past_sequence_length"],
  ])("2 for --fixed-shapes %s, which the model doesn't have", async (sizes, says) => {
    const { code, stderr } = await runCli(["export", "--fixed-shapes", sizes, "--out", "x"], home);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(says) });
  });

  it("0 where a fixed size is nothing that may be nothing", async () => {
    const sizes = "batch_size=1,sequence_length=8,past_sequence_length=0";
    const { code } = await runCli(["export", "--fixed-shapes", sizes, "--out", "fixed"], home);
    expect(code).toBe(0);
  });

  it.each([
    [["--format", "q4_0", "--q-group-size", "7"], "--q-group-size 7: q4_0 has no choice of groups"],
    [["--format", "banana"], "--format is one of auto, "],
  ])("2 for formats that there aren't: %j", async (format, says) => {
    const { code, stderr } = await runCli(["run", ...format], home);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(says) });
  });

  it("2 for a mesh of more stages than the model has parts", async () => {
    const { code, stderr } = await runCli(["run", "--mesh", "1x2x99"], home);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining("--mesh 1x2x99 has 99 stages") });
  });

  it("3 for a target that isn't installed, saying how to get it", async () => {
    const { code, stderr } = await runCli(["verify", "--target", "abacus"], home);
    expect({ code, stderr }).toEqual({ code: 3, stderr: expect.stringMatching(/npm install @llm\/target-abacus/) });
  });

  it("1 for a model that isn't there", async () => {
    const { code, stderr } = await runCli(["inspect", "./no/such/folder"], home);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^llm: \.\/no\/such\/folder: does not exist; [^\n]+\n$/),
    });
  });

  it("1 for a hub id that isn't downloaded, when offline", async () => {
    const { code, stderr } = await runCli(["inspect", "someone/something", "--offline"], home);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^llm: someone\/something: .*offline[^\n]*\n$/),
    });
  });

  it("adds the stack with --debug", async () => {
    const { stderr } = await runCli(["inspect", "./no/such/folder", "--debug"], home);
    expect(stderr).toMatch(/^llm: .*\n.*Error: .*\n\s+at /);
  });

  it("prints help and version on stdout", async () => {
    const help = await runCli(["--help"], home);
    expect(help).toMatchObject({ code: 0, stderr: "" });
    expect(help.stdout).toContain("llm infer");
    expect((await runCli(["help", "verify"], home)).stdout).toContain("--layers A-B");
    expect((await runCli(["--version"], home)).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

import { describe, expect, it } from "vitest";
import { MODEL } from "../definition/arguments.ts";
import type { Command } from "../definition/command.ts";
import { UsageError } from "../exit.ts";
import { parseCommand } from "./arguments.ts";
import type { TargetOptions } from "./known-options.ts";

const command: Command = {
  name: "infer",
  summary: "",
  arguments: [MODEL],
  options: [
    "prompt",
    "promptsTxtFilePath",
    "stop",
    "greedy",
    "temperature",
    "maxNewTokens",
    "target",
    "config",
    "stream",
    "trustRemoteCode",
    "json",
  ],
  targetOptions: true,
  examples: [],
  json: {},
  load: () => Promise.reject(new Error("not in this test")),
};
const targets: readonly TargetOptions[] = [
  { id: "cpu", options: { threads: { kind: "number", doc: "", min: 1 } } },
  {
    id: "chip",
    options: {
      deviceGroup: { kind: "list", doc: "" },
      threads: { kind: "number", doc: "" },
      cores: { kind: "number", doc: "" },
    },
  },
  { id: "other", options: { mode: { kind: "choice", choices: ["F16", "int8"], doc: "" } } },
];
const parse = (argv: string[], env: Record<string, string> = {}) => parseCommand(command, argv, env, targets);

describe("arguments", () => {
  it("reads flags in kebab and snake case, inline and not", () => {
    expect(parse(["--max-new-tokens", "3"]).options.maxNewTokens).toBe(3);
    expect(parse(["--max_new_tokens=3"]).options.maxNewTokens).toBe(3);
    expect(parse(["--generation_len", "3"]).options.maxNewTokens).toBe(3);
    expect(parse(["-p", "-1 is a number"]).options.prompt).toEqual(["-1 is a number"]);
    expect(parse(["--prompt=--no-stream"]).options.prompt).toEqual(["--no-stream"]);
    expect(parse(["--prompt", "--not-an-option"]).options.prompt).toEqual(["--not-an-option"]);
  });

  it("takes MODEL where it stands, by --model-name and by -m", () => {
    expect(parse(["a/b"]).args.model).toBe("a/b");
    expect(parse(["--model_name", "a/b"]).args.model).toBe("a/b");
    expect(parse(["-m", "a/b", "--json"]).args.model).toBe("a/b");
    expect(parse([]).args.model).toBe("demo");
  });

  it("puts flags before the environment", () => {
    const env = { LLM_MAX_NEW_TOKENS: "5", LLM_STREAM: "false", LLM_JSON: "1" };
    expect(parse([], env).options).toMatchObject({ maxNewTokens: 5, stream: false, json: true });
    expect(parse(["--max-new-tokens", "9", "--stream"], env).options).toMatchObject({ maxNewTokens: 9, stream: true });
    expect(parse([], { LLM_MAX_NEW_TOKENS: "" }).options.maxNewTokens).toBeUndefined();
    expect(() => parse([], { LLM_MAX_NEW_TOKENS: "many" })).toThrow('LLM_MAX_NEW_TOKENS is a whole number, not "many"');
  });

  it("lets a flag of how to choose go before a setting of the same", () => {
    const env = { LLM_GREEDY: "1", LLM_TEMPERATURE: "0.5" };
    expect(parse([], env).options).toMatchObject({ greedy: true, temperature: 0.5 });
    expect(parse(["--temperature", "1"], env).options).toEqual({ temperature: 1 });
    expect(parse(["--greedy"], env).options).toEqual({ greedy: true });
  });

  it("lets a flag go before a setting that says the same by another name", () => {
    const kinds = (doc: string, says?: string) => ({ kind: "string", doc, ...(says ? { says } : {}) }) as const;
    const both = [
      { id: "chip", options: { mode: kinds(""), format: kinds("", "mode") } },
      { id: "cpu", options: { format: kinds("") } },
    ] as const;
    const read = (argv: string[], env: object) => parseCommand(command, argv, { ...env }, both).targetOptions;
    expect(read(["--target", "chip", "--format", "int8"], { LLM_MODE: "int4" })).toEqual({ format: "int8" });
    expect(read(["--mode", "int4"], { LLM_FORMAT: "int8" })).toEqual({ mode: "int4" });
    expect(read(["--target", "chip"], { LLM_FORMAT: "int8", LLM_MODE: "int4" })).toEqual({
      format: "int8",
      mode: "int4",
    });
  });

  it("takes all of what is repeated", () => {
    expect(parse(["--prompt", "a", "-p", "b"]).options.prompt).toEqual(["a", "b"]);
    expect(parse([], { LLM_PROMPT: '["a", "b"]' }).options.prompt).toEqual(["a", "b"]);
    expect(parse([], { LLM_PROMPT: "[a]" }).options.prompt).toEqual(["[a]"]);
  });

  it("has an environment twin for every option, and a flag for the same thing goes first", () => {
    const env = { LLM_CONFIG: '["a=1","b=2"]', LLM_STOP: "[x", LLM_PROMPT: "hi", LLM_PROMPTS_TXT_FILE_PATH: "f" };
    expect(parse([], env).options).toMatchObject({ config: ["a=1", "b=2"], stop: ["[x"] });
    expect(parse(["--prompt", "ho"], env).options).not.toHaveProperty("promptsTxtFilePath");
    expect(parse(["--prompt", "ho"], env).options.prompt).toEqual(["ho"]);
    expect([...parse(["--prompt", "ho"], env).settings].sort()).toEqual(["config", "stop"]);
  });

  it("turns off with --no-", () => {
    expect(parse(["--no-stream"]).options.stream).toBe(false);
    expect(parse(["--no_stream"]).options.stream).toBe(false);
    expect(() => parse(["--no-prompt"])).toThrow("no option --no-prompt");
  });

  it("collects what may be repeated", () => {
    expect(parse(["--config", "a=1", "--config", "b.c=2"]).options.config).toEqual(["a=1", "b.c=2"]);
  });

  it("lets an option imply the target it belongs to", () => {
    expect(parse(["--device_group", "[0,1]"])).toMatchObject({
      target: "chip",
      targetOptions: { deviceGroup: [0, 1] },
    });
    expect(parse(["--mode", "INT8"])).toMatchObject({ target: "other", targetOptions: { mode: "int8" } });
    expect(parse(["--threads", "2"]).target).toBeUndefined(); // the default target has it too
    expect(parse(["--threads", "2", "--cores", "4"]).target).toBe("chip");
    expect(parse(["--target", "chip", "--cores", "4"]).target).toBe("chip");
  });

  it("leaves the values of an option to the target, where several have it", () => {
    const format = (...choices: string[]) => ({ format: { kind: "choice", choices, doc: "" } }) as const;
    const both = [
      { id: "cpu", options: { format: { kind: "string", doc: "" } } },
      { id: "chip", options: format("mx6") },
      { id: "other", options: format("int8") },
    ] as const;
    for (const [id, value] of [
      ["cpu", "q4_0"],
      ["chip", "mx6"],
    ] as const)
      expect(parseCommand(command, ["--target", id, "--format", value], {}, both).targetOptions).toEqual({
        format: value,
      });
  });

  it("takes numbers that any target takes", () => {
    const number = (most: number) => ({ cores: { kind: "number", min: 1, max: most, doc: "" } }) as const;
    const both = [
      { id: "chip", options: number(16) },
      { id: "other", options: number(8) },
    ];
    expect(parseCommand(command, ["--target", "chip", "--cores", "16"], {}, both).targetOptions).toEqual({ cores: 16 });
    expect(() => parseCommand(command, ["--cores", "17"], {}, both)).toThrow("--cores is between 1 and 16, not 17");
  });

  it("lets an option that the default target alone has imply that one", () => {
    const cpu = { id: "cpu", options: { kvFormat: { kind: "string", doc: "" } } } as const;
    expect(parseCommand(command, ["--kv-format", "fp16"], {}, [cpu, ...targets.slice(1)]).target).toBe("cpu");
  });

  it("lets a flag that implies a target go before a target of the environment", () => {
    const env = { LLM_TARGET: "chip" };
    expect(parse([], env)).toMatchObject({ target: "chip", targetIsSetting: true });
    expect(parse(["--threads", "2"], env)).toMatchObject({ target: "chip", targetIsSetting: true });
    expect(parse(["--mode", "F16"], env)).toMatchObject({ target: "other", targetIsSetting: false });
    expect(parse(["--target", "cpu"], env)).toMatchObject({ target: "cpu", targetIsSetting: false });
  });

  it("reads the environment twins of other spellings, after that of the flag", () => {
    expect(parse([], { LLM_GENERATION_LEN: "5" }).options.maxNewTokens).toBe(5);
    expect(parse([], { LLM_GENERATION_LEN: "5", LLM_MAX_NEW_TOKENS: "6" }).options.maxNewTokens).toBe(6);
  });

  it("tells flags of targets from settings", () => {
    const { targetFlags, targetSettings } = parse(["--threads", "2"], { LLM_MODE: "F16" });
    expect(targetFlags).toEqual([{ key: "threads", said: "--threads", targets: ["cpu", "chip"], value: 2 }]);
    expect(targetSettings).toEqual({ mode: "F16" });
  });

  it("leaves it to the model which of several targets an option means", () => {
    const both = [...targets, { id: "third", options: { mode: targets[2]!.options.mode! } }];
    const parsed = parseCommand(command, ["--mode", "F16"], {}, both);
    expect(parsed.target).toBeUndefined();
    expect(parsed.targetOptions).toEqual({ mode: "F16" });
  });

  it("refuses an option of one target with another", () => {
    expect(() => parse(["--target", "cpu", "--device-group", "0,1"])).toThrow(
      "--device-group belongs to chip, not to --target cpu; leave one of them out",
    );
    expect(() => parse(["--cores", "1", "--mode", "F16"])).toThrow("--cores and --mode belong to different targets");
  });

  it("keeps settings in the environment to the target they belong to", () => {
    expect(parse([], { LLM_DEVICE_GROUP: "0,1", LLM_THREADS: "2" })).toMatchObject({
      target: undefined,
      targetOptions: { threads: 2 },
    });
    expect(parse(["--target", "chip"], { LLM_DEVICE_GROUP: "0,1" }).targetOptions).toEqual({ deviceGroup: [0, 1] });
  });

  it("says what an accepted option doesn't do", () => {
    expect(parse(["--trust-remote-code"]).notes).toEqual([expect.stringContaining("never executed")]);
  });

  it.each<[string[], string]>([
    [["--promt", "x"], "llm infer has no option --promt; did you mean --prompt?"],
    [["--zzzzzzzz"], "llm infer has no option --zzzzzzzz; `llm infer --help` lists what there is"],
    [["-x"], "llm infer has no option -x"],
    [["--prompt"], "--prompt needs a value"],
    [["--prompt", "--no-stream"], "--prompt needs a value; if --no-stream is meant to be it: --prompt=--no-stream"],
    [["--stop", "--max_new_tokens=3"], "--stop needs a value"],
    [["--config", "--json"], "--config needs a value"],
    [["--max-new-tokens", "0"], "--max-new-tokens is at least 1, not 0"],
    [["demo", "def", "main"], 'doesn\'t know what to do with "def"; quote text that has spaces'],
  ])("refuses %j in one line", (argv, message) => {
    expect(() => parse(argv)).toThrow(UsageError);
    expect(() => parse(argv)).toThrow(message);
  });
});

import { installedTargets } from "@llm/toolchain/targets";
import { describe, expect, it } from "vitest";
import { parseCommand } from "../parse/arguments.ts";
import { COMMANDS } from "./commands.ts";

const targets = await installedTargets();

function parse(line: string) {
  const [name, ...argv] = line.split(" ");
  const command = COMMANDS.find((one) => one.name === name)!;
  return parseCommand(command, argv, {}, command.targetOptions ? targets : []);
}

describe("names that scripts rely on", () => {
  it.each([
    "infer demo --prompt x --max-new-tokens 3 --automation --write-io-dir io",
    "run Q -m demo --generation-len 3 --input-len 4 --no-stream --seed 1 --greedy",
    "chat -m demo -d 0,1,2,3",
    "serve -m demo --host 0.0.0.0 --port 0 --api-key k --slots 2 --cors * --tls-cert c --tls-key k",
    "pull demo --hf-token t --cache-dir d --offline",
    "inspect demo --graph",
    "export demo --target onnx --out d --copy --no-kv --save-fp32-onnx --save-fp16-onnx --name n",
    "export demo --target bm1684x --out d --name wizardcoder-15B",
    "verify demo --layers 0-1 --against dump --target cpu",
    "compile demo --target aic100 --batch-size 1 --prompt-len 32 --ctx-len 128 --full-batch-size 2 --num-cores 16 --mxfp6 --mxint8",
    "compile demo --target aic100 --device-group 0,1 --mos 1 --aic-enable-depth-first --sdk-profile recipe --card dl2q --speculate-len 3",
    "compile demo --target bm1684x --mode int8 --q-group-size 64 --num-device 2 --name n --force",
    "plan demo --target bm1684x --format W4F16",
    "plan demo --target aic100 --batch-size max --ctx-len 128 --mesh auto --socs 4 --html p.html",
    "logits demo --ids 1,2,3 --hidden --greedy 4 --target cpu --out f.safetensors",
    "eval demo --text f --format int8 --kv-format mxint8",
    "tokenize demo --in f.jsonl --no-special",
    "detokenize demo --in f.jsonl",
    "template demo --messages f.json --tools t.json --add-generation-prompt",
    "bench demo --prompt 512 --gen 128 --batch 4 --depth 0 --repeat 5",
    "pack d --out f.tar",
    "conformance demo --target cpu --report f",
    "doctor --target cpu",
  ])("llm %s", (line) => {
    expect(() => parse(line)).not.toThrow();
  });

  // As the READMEs of the programs that this one replaces have them.
  it("takes the old programs' options", () => {
    const { args, targetOptions, options, target } = parse(
      "run --model-name bigcode/starcoder --qpc qpc/q --device_id 0,1 --token T --prompt a|b --enable-debug-logs",
    );
    expect({ args, targetOptions, target }).toEqual({
      args: { thing: "qpc/q", model: "bigcode/starcoder" },
      targetOptions: { device: [0, 1] },
      target: undefined,
    });
    expect(options).toMatchObject({ hfToken: "T", prompt: ["a|b"] });
    expect(parse("export --model-name a/b --model-class AutoModelForCausalLM --auth-token T").options).toMatchObject({
      hfToken: "T",
    });
    expect(parse("pack --qpc-path q").args).toEqual({ thing: "q" });
  });

  it.each(["run", "chat", "serve", "bench"])("%s tells an artefact from the model whose tokenizer it takes", (name) => {
    expect(parse(`${name} --qpc-path q --model-name m`).args).toEqual({ thing: "q", model: "m" });
    expect(parse(`${name} q`).args).toEqual({ thing: "q" });
    expect(parse(`${name} -m m`).args).toEqual({ model: "m" });
  });

  it.each(["LLM_SDK_PROFILE", "LLM_SDK"])("has a variable for either name of an option: %s", (twin) => {
    const compile = COMMANDS.find(({ name }) => name === "compile")!;
    const env = { [twin]: "recipe", LLM_SPECULATE_LEN: "3" };
    const { targetOptions } = parseCommand(compile, ["--target", "aic100"], env, targets);
    expect(targetOptions).toEqual({ sdk: "recipe", numSpeculativeTokens: 3 });
  });

  it("gives a bench its batch by either name, and by its old twin", () => {
    expect(parse("bench demo --batch-size 4").options).toMatchObject({ benchBatch: 4 });
    const bench = COMMANDS.find(({ name }) => name === "bench")!;
    expect(parseCommand(bench, [], { LLM_BATCH_SIZE: "3" }, targets).options).toMatchObject({ benchBatch: 3 });
  });
});

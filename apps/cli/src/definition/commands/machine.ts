import { MODEL } from "../arguments.ts";
import type { Command } from "../command.ts";
import { COMMON, MODEL_OPTIONS } from "../groups.ts";

/** Commands about this machine and what is installed on it. */
export const MACHINE: readonly Command[] = [
  {
    name: "conformance",
    summary: "Check that a target does on this machine what every target must",
    about:
      "Sessions in every state, caches, forks and refusals, builds that are killed and go on, with a small model. For owners of devices " +
      "that its makers have none of: the report says on what it was shown.",
    arguments: [MODEL],
    options: ["target", "report", ...MODEL_OPTIONS, ...COMMON],
    targetOptions: true,
    examples: [{ line: "llm conformance demo --target cpu --report report.json", doc: "a file to send back" }],
    json: {
      passed: "how many",
      failed: "how many",
      checks: "[{name, state, seconds, reason}]",
      machine: "{platform, arch, processor}",
      tools: "{name: version}, of the compilers that made what was checked",
      found: "[{name, state, detail, fix}], as `llm doctor` says it of the target",
    },
    load: () => import("../../commands/conformance.ts"),
  },
  {
    name: "cache",
    summary: "List what is kept on disk, and remove it",
    about:
      "Downloads of the hub (shared with its own tools), finished artefacts, units, unpacked tools. Everything there is fetched or made " +
      "again when it is wanted.",
    arguments: [],
    options: ["remove", "olderThan", "partial", "yes", "cacheDir", ...COMMON],
    targetOptions: false,
    examples: [
      { line: "llm cache", doc: "what there is, largest first" },
      {
        line: "llm cache --older-than 30 --partial --yes",
        doc: "what wasn't touched for a month, and broken downloads",
      },
    ],
    json: { entries: "[{kind, name, path, bytes, changed}]", bytes: "of all together", removed: "[name]" },
    load: () => import("../../commands/cache.ts"),
  },
  {
    name: "passes",
    summary: "The graph passes, what each does and takes",
    arguments: [],
    options: COMMON,
    targetOptions: false,
    examples: [{ line: "llm passes", doc: "those of the core and of every installed target" }],
    json: { passes: "[{name, from, doc, params}]" },
    load: () => import("../../commands/passes.ts"),
  },
  {
    name: "targets",
    summary: "Which devices can be targeted, and what each can do",
    arguments: [],
    options: COMMON,
    targetOptions: false,
    examples: [{ line: "llm targets", doc: "one line for each target that is installed" }],
    json: { targets: "[{id, title, package, version, options, features}]" },
    load: () => import("../../commands/targets.ts"),
  },
  {
    name: "doctor",
    summary: "What works on this machine, what is missing and how to get it",
    arguments: [],
    options: ["target", "install", "buildRuntime", "cacheDir", ...COMMON],
    targetOptions: false,
    examples: [
      { line: "llm doctor --target cpu", doc: "only what one target needs" },
      { line: "llm doctor --target bm1684x --install", doc: "fetch the vendor's compiler, and try it" },
      {
        line: "llm doctor --target aic100 --build",
        doc: "compile what runs QPCs, against the header of the SDK that is installed",
      },
    ],
    json: { findings: "[{target, name, state, detail, fix}]", ok: "whether nothing is missing" },
    load: () => import("../../commands/doctor.ts"),
  },
];

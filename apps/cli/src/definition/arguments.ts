import type { Argument } from "./command.ts";

/** What MODEL can be; the old programs' `--model-name` says the same. */
export const MODEL: Argument = {
  name: "MODEL",
  key: "model",
  doc: "a hub id (`owner/name:Q4_K_M` for one of its GGUF models), a folder in the Hugging Face layout, a .gguf file, or `demo`",
  default: "demo",
  flags: ["model-name"],
  short: "m",
};

/** Something finished; the old programs' `--qpc-path` and `--qpc` say the same. */
export const ARTEFACT: Argument = {
  name: "ARTEFACT",
  key: "thing",
  doc: "a folder that `llm compile` made, a .bmodel, or a QPC folder",
  flags: ["qpc-path", "qpc"],
};

/** What runs is given something finished or a checkpoint; the old programs name both: the one, and the other for its tokenizer. */
export const ARTEFACT_OR_MODEL: readonly Argument[] = [
  {
    ...ARTEFACT,
    name: "ARTEFACT_OR_MODEL",
    doc: "a folder that `llm export` or `llm compile` made, a device's own file, or a MODEL, which is exported first; `demo` when nothing is said",
  },
  {
    ...MODEL,
    doc: "whose tokenizer an artefact uses that has none of its own; alone it means ARTEFACT_OR_MODEL",
    flagOnly: true,
  },
];

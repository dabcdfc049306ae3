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

/** The same where nobody needs a tokenizer. */
export const ARTEFACT_OR_MODEL_PLACE: Argument = {
  name: "ARTEFACT_OR_MODEL",
  key: "model",
  doc: "a folder that `llm export` made, or a MODEL",
  default: "demo",
  flags: ["qpc-path", "model-name"],
};

/** What `llm run` takes: the old programs name the artefact and, for its tokenizer, the model. */
export const ARTEFACT_OR_MODEL: readonly Argument[] = [
  {
    name: "ARTEFACT_OR_MODEL",
    key: "thing",
    doc: "a folder that `llm export` made, or a MODEL, which is exported first; `demo` when nothing is said",
    flags: ["qpc-path"],
  },
  {
    name: "MODEL",
    key: "model",
    doc: "whose tokenizer an artefact uses that has none of its own; alone it means ARTEFACT_OR_MODEL",
    flags: ["model-name"],
    short: "m",
    flagOnly: true,
  },
];

/** `node build-slowly.ts FOLDER`: makes an artefact below FOLDER, saying each unit that is done, until it is killed. */
import { mkdirSync } from "node:fs";
import { buildArtefact } from "@llm/target/engine";
import { requestFor } from "./build-model.ts";
import { FAMILIES } from "./families.ts";
import { optionsOf } from "./options.ts";
import { randomModel } from "./random-model.ts";

const folder = process.argv[2]!;
mkdirSync(folder, { recursive: true });
await buildArtefact({
  ...requestFor(randomModel(FAMILIES.gpt2!, 3), optionsOf({ mode: "int4", ctxLen: 16 }), folder),
  capacity: { cores: 1 },
  onEvent: (event) => {
    if (event.kind === "finished") process.stdout.write(`${event.unit} ${event.cached}\n`);
  },
});

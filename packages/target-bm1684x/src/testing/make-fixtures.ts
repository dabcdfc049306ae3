/** `node make-fixtures.ts`: compiles the models of `fixtures/` again, and takes the chip's own program out of them. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NETS_FILE } from "../compile/nets-file.ts";
import { runTool } from "../tools/run-tool.ts";
import { requireToolchain } from "../tools/toolchain.ts";
import { buildModel } from "./build-model.ts";
import { FIXTURES, fixtureFolder, fixtureOptions, SEED, SMALL } from "./fixtures.ts";
import { randomModel } from "./random-model.ts";

const scratch = mkdtempSync(join(tmpdir(), "llm-bm1684x-fixtures-"));
try {
  for (const mode of FIXTURES) {
    const options = fixtureOptions(mode);
    using built = await buildModel(randomModel(SMALL, SEED), options);
    const [file] = built.artefact.manifest.files.map(({ path }) => path).filter((path) => path.endsWith(".bmodel"));
    const copy = join(scratch, "model.bmodel");
    copyFileSync(join(built.artefact.folder, file!), copy);
    await runTool(requireToolchain(), "model_tool", { args: ["--kernel_remove", copy], folder: scratch });
    mkdirSync(fixtureFolder(mode), { recursive: true });
    copyFileSync(copy, join(fixtureFolder(mode), "model.bmodel"));
    copyFileSync(join(built.artefact.folder, NETS_FILE), join(fixtureFolder(mode), NETS_FILE));
  }
} finally {
  rmSync(scratch, { recursive: true });
}

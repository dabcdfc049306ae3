import { constants } from "node:fs";
import { chmod, copyFile, link, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeFolder } from "@llm/tensor/files";
import type { CompilePlan } from "./compile-plan.ts";
import type { ModelFiles } from "./compiled-model.ts";

/** Puts everything that the compiler reads into a folder: its configuration, the graph, and the graph's weights beside it. */
export async function writePlan(plan: CompilePlan, model: ModelFiles, folder: string): Promise<void> {
  await writeFiles(plan.files, folder);
  const to = join(folder, plan.paths.model);
  await sameFile(model.onnx, to);
  for (const weights of model.weights) await sameFile(join(dirname(model.onnx), weights), join(dirname(to), weights));
}

/** Texts by their paths below a folder. */
export async function writeFiles(files: CompilePlan["files"], folder: string): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await makeFolder(dirname(join(folder, path)));
    await writeFile(join(folder, path), text);
  }
}

/** Gigabytes of weights are linked where they can be. */
async function sameFile(from: string, to: string): Promise<void> {
  await makeFolder(dirname(to));
  try {
    await link(from, to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return;
    if (!["EXDEV", "EPERM", "EMLINK", "ENOTSUP"].includes(code ?? "")) throw error;
    await copyFile(from, to, constants.COPYFILE_FICLONE);
  }
}

export const KIT_SCRIPT = "compile.sh";

/** A script that does what would have been done here, from wherever the folder is taken to. */
export async function writeScript(plan: CompilePlan, folder: string): Promise<void> {
  const { program, args, paths } = plan;
  const lines = [
    "#!/bin/sh",
    "# Compiles this model for Cloud AI 100. Needs the Cloud AI Apps SDK (x86-64 Linux); no card.",
    "set -eu",
    'cd "$(dirname "$0")"',
    `tool=$(command -v ${program} || echo "\${QAIC_SDK_DIR:-/opt/qti-aic}/exec/${program}")`,
    'if [ ! -x "$tool" ]; then',
    `  echo "${program} was not found: install the Cloud AI Apps SDK, or set QAIC_SDK_DIR" >&2`,
    "  exit 3",
    "fi",
    "# The compiler makes this folder, and refuses one that is there.",
    `rm -rf ${quote(paths.binaries)}`,
    ...(dirname(paths.binaries) === "." ? [] : [`mkdir -p ${quote(dirname(paths.binaries))}`]),
    `"$tool" ${args.map(quote).join(" \\\n  ")}`,
    "",
  ];
  const path = join(folder, KIT_SCRIPT);
  await writeFile(path, lines.join("\n"));
  await chmod(path, 0o755);
}

function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

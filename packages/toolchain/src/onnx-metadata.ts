import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Model } from "./open-model.ts";

/** A README's first lines, between two lines of three dashes, where the hub's own pages keep a model's licence. */
const FRONT_MATTER = /^---\r?\n([\s\S]{0,20000}?)\r?\n---/;

/** What travels with an ONNX file: which weights it was made of, and on what terms they were published. */
export async function onnxMetadata({
  name,
  architecture,
  checkpoint,
  weights,
}: Model): Promise<Record<string, string>> {
  const licence = await licenceOf(checkpoint);
  return {
    model: name,
    architecture: architecture.id,
    fingerprint: weights.fingerprint,
    ...(licence === undefined ? {} : { license: licence }),
  };
}

/** As the checkpoint's README says it; undefined where nobody says it. */
async function licenceOf(checkpoint: Model["checkpoint"]): Promise<string | undefined> {
  const readme = await readFile(join(checkpoint.folder, "README.md"), "utf8").catch(() => undefined);
  const front = readme === undefined ? undefined : FRONT_MATTER.exec(readme)?.[1];
  const said = front === undefined ? undefined : /^license:[ \t]*(\S[^\r\n]*)$/m.exec(front)?.[1];
  return said?.trim().replaceAll(/^["']|["']$/g, "");
}

/** Version of this package: what `producer_version` says. */
export function packageVersion(): string {
  const { version } = createRequire(import.meta.url)("../package.json") as { version: string };
  return version;
}

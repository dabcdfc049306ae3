import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** What the shared library is called, by platform; versions come after it. */
const NAMES: Readonly<Record<string, RegExp>> = {
  linux: /^libonnxruntime\.so(\.\d+)*$/,
  darwin: /^libonnxruntime(\.\d+)*\.dylib$/,
  win32: /^onnxruntime\.dll$/,
};

/** ONNX Runtime's shared library inside onnxruntime-node; undefined when that isn't installed, or has none for this platform. */
export function ortLibrary(
  resolve: (id: string) => string = createRequire(import.meta.url).resolve,
): string | undefined {
  let root: string;
  try {
    root = dirname(resolve("onnxruntime-node/package.json"));
  } catch {
    return undefined;
  }
  const bin = join(root, "bin");
  const name = NAMES[process.platform];
  if (name === undefined || !existsSync(bin)) return undefined;
  // One folder for each version of Node-API that the binding was built for.
  for (const napi of readdirSync(bin)) {
    const folder = join(bin, napi, process.platform, process.arch);
    const file = existsSync(folder) ? readdirSync(folder).find((entry) => name.test(entry)) : undefined;
    if (file !== undefined) return join(folder, file);
  }
  return undefined;
}

import { readdir, readFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";

export interface PlaygroundFile {
  readonly type: string;
  readonly body: Buffer;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** Nothing but the page's own files, and the server it came from. */
export const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/**
 * The page's files by their paths ("" is the page itself). Run from source, the modules lose their types on the way; what is
 * published has lost them already.
 */
export async function playgroundFiles(): Promise<ReadonlyMap<string, PlaygroundFile>> {
  const files = new Map<string, PlaygroundFile>();
  const put = (path: string, body: Buffer): void => void files.set(path, { type: TYPES[extname(path)], body });
  const fixed = fileURLToPath(new URL("../static/", import.meta.url));
  for (const name of await readdir(fixed)) put(name, await readFile(join(fixed, name)));
  const modules = fileURLToPath(new URL("./page/", import.meta.url));
  for (const name of await readdir(modules)) {
    if (!/\.(?:js|ts)$/.test(name) || name.endsWith(".d.ts")) continue;
    const source = await readFile(join(modules, name), "utf8");
    const script = name.endsWith(".ts") ? withoutTypes(source) : source;
    put(`page/${name.replace(/\.ts$/, ".js")}`, Buffer.from(script));
  }
  files.set("", { type: TYPES[".html"], body: files.get("index.html")!.body });
  return files;
}

function withoutTypes(source: string): string {
  return quietly(() => stripTypeScriptTypes(source)).replaceAll(/(from "\.\/[\w-]+)\.ts"/g, '$1.js"');
}

/** Node calls the function experimental when it is first used: no news to whoever starts a server. */
function quietly<T>(work: () => T): T {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return work();
  } finally {
    process.emitWarning = emitWarning;
  }
}

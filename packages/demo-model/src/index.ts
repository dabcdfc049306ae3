import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the bundled checkpoint: what `demo` means. */
export const demoModelFolder: string = dirname(dirname(fileURLToPath(import.meta.url)));

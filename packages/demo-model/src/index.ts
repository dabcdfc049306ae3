import { fileURLToPath } from "node:url";

/** The folder of the bundled checkpoint: what `demo` means. */
export const demoModelFolder: string = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

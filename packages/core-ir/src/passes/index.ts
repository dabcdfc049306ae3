import type { Pass } from "../pass.ts";
import { cacheForm } from "./cache-form.ts";
import { exposeBlocks } from "./expose-blocks.ts";
import { lower } from "./lower.ts";
import { pad } from "./pad.ts";

/** The passes of core-ir; a target adds its own. */
export const corePasses: readonly Pass[] = [cacheForm, exposeBlocks, lower, pad];

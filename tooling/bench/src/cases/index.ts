import type { Case } from "../case.ts";
import { startup } from "./startup.ts";

/** Every case; a package's claims have theirs in a file of its own. */
export const cases: readonly Case[] = [startup];

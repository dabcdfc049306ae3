import type { Command } from "./command.ts";
import { CHECKPOINTS } from "./commands/checkpoints.ts";
import { GENERATING } from "./commands/generating.ts";
import { MACHINE } from "./commands/machine.ts";
import { MAKING } from "./commands/making.ts";

/** The commands, in the order people meet them. What isn't here isn't in the program. */
export const COMMANDS: readonly Command[] = [...GENERATING, ...CHECKPOINTS, ...MAKING, ...MACHINE];

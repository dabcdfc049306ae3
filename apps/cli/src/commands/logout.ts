import { removeToken } from "@llm/checkpoint";
import type { Call, Outcome } from "../definition/command.ts";
import type { Io } from "../output/io.ts";

/** `llm logout` */
export async function run(_call: Call, io: Io): Promise<Outcome> {
  const file = await removeToken(io.env);
  const shadowed = io.env.HF_TOKEN ? "\nHF_TOKEN is still set" : "";
  return {
    json: { file: file ?? null },
    text: `${file === undefined ? "there was no token" : `${file} is removed`}${shadowed}`,
  };
}

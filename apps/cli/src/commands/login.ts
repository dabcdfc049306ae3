import { storeToken } from "@llm/checkpoint";
import type { Call, Outcome } from "../definition/command.ts";
import { UsageError } from "../exit.ts";
import type { Io } from "../output/io.ts";

/** `llm login` */
export async function run(_call: Call, io: Io): Promise<Outcome> {
  const token = (await io.readStdin()) ?? (await io.secret("Token (it isn't shown): "));
  if (token === undefined || token.trim() === "")
    throw new UsageError("no token was given; type it, or pipe it in: llm login < token.txt");
  const file = await storeToken(token, io.env);
  const shadowed = io.env.HF_TOKEN ? "\nHF_TOKEN is set and goes before it" : "";
  return { json: { file }, text: `kept in ${file}${shadowed}` };
}

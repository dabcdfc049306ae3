import { type Model, openModel, resolveModel, unreadNote } from "@llm/toolchain";
import type { Call } from "../definition/command.ts";
import type { Io } from "../output/io.ts";
import { bytes } from "../output/units.ts";
import { modelOptions } from "./model-options.ts";

/** Finds the MODEL of a call, downloading it where it must be, and opens it. */
export async function openCalled(call: Call, io: Io): Promise<Model> {
  const options = modelOptions(call, io);
  const began = performance.now();
  io.progress.begin("fetch", call.args.model);
  const { name, path, downloaded, pulled } = await resolveModel(call.args.model, options);
  const seconds = (performance.now() - began) / 1000;
  if (downloaded > 0) io.progress.end({ seconds, note: bytes(downloaded) });
  else io.progress.close();
  if (pulled?.note !== undefined) io.note(pulled.note);
  const model = await openModel(path, {
    name,
    ...(options.config ? { config: options.config } : {}),
    ...(options.lora === undefined ? {} : { lora: options.lora }),
  });
  const unread = unreadNote(model);
  if (unread !== undefined) io.note(unread);
  return model;
}

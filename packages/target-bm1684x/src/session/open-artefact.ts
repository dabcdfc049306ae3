import { join } from "node:path";
import { type Artefact, type Session, TargetError } from "@llm/target";
import type { Bm1684xOptions } from "../options.ts";
import { readNetsList } from "./nets-list.ts";
import { openSession } from "./open-session.ts";
import { listedRoles, recognisedRoles } from "./roles.ts";

const EXTENSION = ".bmodel";

/** Opens what was compiled: here, with a list of its nets beside it, or anywhere, by what its nets look like. */
export async function openArtefact({ folder, manifest }: Artefact, options: Bm1684xOptions): Promise<Session> {
  const files = manifest.files.map(({ path }) => path).filter((path) => path.endsWith(EXTENSION));
  if (files.length === 0) throw new TargetError("artefact-invalid", `${folder}: there is no bmodel in it`);
  const list = await readNetsList(folder, files);
  return openSession({
    bmodels: (list?.bmodels ?? files).map((file) => join(folder, file)),
    roles: list ? listedRoles(list) : recognisedRoles,
    devices: options.device,
    slots: options.batchSize,
    simulate: options.simulate,
    ...(manifest.model.vocab > 0 ? { vocab: manifest.model.vocab } : {}),
  });
}

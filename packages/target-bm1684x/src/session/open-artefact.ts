import { join } from "node:path";
import { type Artefact, openCopies, type Session, TargetError } from "@llm/target";
import type { Bm1684xOptions } from "../options.ts";
import { copiesOf } from "../plan/sharing.ts";
import { readNetsList } from "./nets-list.ts";
import { openSession } from "./open-session.ts";
import { listedRoles, recognisedRoles } from "./roles.ts";

const EXTENSION = ".bmodel";

/** Opens what was compiled: here, with a list of its nets beside it, or anywhere, by what its nets look like. */
export async function openArtefact({ folder, manifest }: Artefact, options: Bm1684xOptions): Promise<Session> {
  const files = manifest.files.map(({ path }) => path).filter((path) => path.endsWith(EXTENSION));
  if (files.length === 0) throw new TargetError("artefact-invalid", `${folder}: there is no bmodel in it`);
  const list = await readNetsList(folder, files);
  const bmodels = (list?.bmodels ?? files).map((file) => join(folder, file));
  const copies = copiesOf({ mesh: options.mesh ?? madeWith(manifest).mesh });
  const devices = devicesOf(options, bmodels.length, copies);
  return openCopies(copies, (copy) =>
    openSession({
      bmodels,
      roles: list ? listedRoles(list) : recognisedRoles,
      devices: devices[copy]!,
      slots: Math.ceil(options.batchSize / copies),
      simulate: options.simulate,
      ...(manifest.model.vocab > 0 ? { vocab: manifest.model.vocab } : {}),
    }),
  );
}

/** What was said of the model when it was made; of others' files nothing is known. */
function madeWith({ options }: Artefact["manifest"]): { readonly mesh?: string } {
  const { mesh } = (options ?? {}) as { readonly mesh?: unknown };
  return typeof mesh === "string" ? { mesh } : {};
}

/** Of each copy, one device for each bmodel; the simulator is another one each time. */
function devicesOf({ device, simulate }: Bm1684xOptions, each: number, copies: number): readonly (readonly number[])[] {
  if (copies === 1 || simulate) return Array.from({ length: copies }, () => device);
  const count = copies * each;
  if (device.length < count || new Set(device).size < device.length)
    throw new TargetError(
      "option-invalid",
      `${copies} copies on ${each === 1 ? "one device" : `${each} devices`} each: name ${count}, such as -d ${Array.from({ length: count }, (_, i) => i).join(",")}`,
    );
  return Array.from({ length: copies }, (_, copy) => device.slice(copy * each, (copy + 1) * each));
}

import { stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Artefact, FileInspection, FileKind, Json } from "@llm/target";
import { QPC_FILE } from "../compile/artefact-name.ts";
import type { Binding, Network } from "./network.ts";
import { QPC_MAGIC, type Qpc, readQpc } from "./read-qpc.ts";

/** A compiled program by itself, wherever it was compiled. Many kinds of files end like it; its first bytes tell it apart. */
export const qpcFile: FileKind & Required<Pick<FileKind, "artefact" | "inspect">> = {
  extension: ".bin",
  magic: [0, 8, 16, 24].map((shift) => (QPC_MAGIC >>> shift) & 0xff),
  artefact,
  inspect,
  async findIn(folder) {
    const file = join(folder, QPC_FILE);
    const info = await stat(file).catch(() => undefined);
    return info?.isFile() ? file : undefined;
  },
};

async function artefact(file: string): Promise<Artefact> {
  const qpc = await readQpc(file);
  const network = networkOf(qpc);
  const logits = network?.outputs.find(({ name }) => name === "logits");
  const caches = network?.inputs.filter(({ name }) => name.startsWith("past_key.")) ?? [];
  return {
    folder: dirname(file),
    manifest: {
      schemaVersion: 1,
      target: "aic100",
      model: {
        name: network?.name || basename(dirname(file)),
        architecture: "unknown",
        vocab: logits?.dims.at(-1) ?? 0,
        width: 0,
        blocks: caches.length,
        context: caches[0]?.dims.at(-2) ?? 0,
        parameters: 0,
      },
      options: network?.batchSize === undefined ? {} : { batchSize: network.batchSize },
      tools: {},
      checkpoint: "",
      units: [],
      files: [{ path: basename(file), bytes: qpc.bytes, sha256: "" }],
      created: "",
    },
  };
}

async function inspect(file: string): Promise<FileInspection> {
  const qpc = await readQpc(file);
  const network = networkOf(qpc);
  return {
    kind: "qpc",
    details: { ...qpc, ...(network ? { network } : {}) } as unknown as { readonly [key: string]: Json },
    lines: linesOf(file, qpc, network),
  };
}

/** Of several devices, the first one's: they differ in what they compute, not in what they are given. */
function networkOf({ network, inner }: Qpc): Network | undefined {
  return network ?? inner.find(({ qpc }) => qpc.network)?.qpc.network;
}

type Line = FileInspection["lines"][number];

function linesOf(
  file: string,
  { bytes, version, segments, inner }: Qpc,
  network: Network | undefined,
): readonly Line[] {
  const parts = segments.map((segment) => `${plain(segment.name)} ${size(segment.bytes)}`).join(", ");
  const head: Line[] = [
    ["qpc", `${file}, ${size(bytes)}, format ${version}`],
    ["segments", parts || "none"],
    ...(inner.length > 0 ? [["devices", `${inner.length}, a QPC each`] as Line] : []),
  ];
  if (!network) return [...head, ["network", "not described"]];
  const { name, cores, threads, batchSize, inputs, outputs, shapes } = network;
  return [
    ...head,
    [
      "network",
      `${plain(name) || "unnamed"}, ${cores} cores, ${threads} threads, batch size ${batchSize ?? "unknown"}`,
    ],
    ["inputs", inputs.map(bindingText).join(", ")],
    ["outputs", outputs.map(bindingText).join(", ")],
    ...shapes.map((shape, at): Line => [`shapes ${at + 1}`, shapeText(shape)]),
    ...(shapes.length === 0 ? [["shapes", "one: the inputs' and outputs' own"] as Line] : []),
  ];
}

function bindingText({ name, dtype, dims, isPartialAllowed }: Binding): string {
  return `${plain(name)} ${dtype}[${dims.join(", ")}]${isPartialAllowed ? " (may be skipped)" : ""}`;
}

/** Caches have the same shape in all of them. */
function shapeText(shapes: Network["shapes"][number]): string {
  const told = Object.entries(shapes).filter(([name]) => !/^past_(?:key|value)\./.test(name));
  return told.map(([name, { dims }]) => `${plain(name)} [${dims.join(", ")}]`).join(", ");
}

/** Names come from a file that may be anybody's: nothing in them drives the terminal. */
function plain(name: string): string {
  return name.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 200);
}

function size(bytes: number): string {
  if (bytes < 1e3) return `${bytes} B`;
  const [unit, divisor] = bytes < 1e6 ? ["kB", 1e3] : bytes < 1e9 ? ["MB", 1e6] : ["GB", 1e9];
  return `${(bytes / (divisor as number)).toPrecision(4)} ${unit}`;
}

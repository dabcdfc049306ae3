import type { Ports } from "../nets/net-ports.ts";

/** Beside the bmodel: what its nets are for, so that nobody has to guess from shapes. */
export const NETS_FILE = "nets.json";

export interface NetsFile {
  readonly schemaVersion: 1;
  readonly chip: "bm1684x";
  readonly mode: string;
  readonly groupSize?: number;
  /** Tokens of a prompt's nets, and places of a history. */
  readonly seqLength: number;
  readonly devices: number;
  /** How several share the model: 1x2, a slice of every layer each; 1x1x2, some layers each. */
  readonly mesh?: string;
  readonly bmodels: readonly string[];
  /** In the order of the file; a name that is there twice has two stages. */
  readonly nets: readonly NetEntry[];
}

export interface NetEntry extends Ports {
  readonly name: string;
  /** Which of several chips it runs on; 0 unless said. */
  readonly device?: number;
}

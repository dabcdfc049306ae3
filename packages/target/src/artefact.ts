import type { Json, ToolVersions } from "./target.ts";

/** A finished folder: it exists only whole, because it is renamed into place when its manifest is complete. */
export interface Artefact {
  readonly folder: string;
  readonly manifest: Manifest;
}

export interface Manifest {
  readonly schemaVersion: 1;
  readonly target: string;
  readonly model: ModelCard;
  readonly options: Json;
  readonly tools: ToolVersions;
  readonly checkpoint: string; // the weight source's fingerprint
  readonly units: readonly ManifestUnit[];
  readonly files: readonly ManifestFile[];
  readonly created: string; // ISO 8601
}

/** What a session and a person need to know of the model without its graph. */
export interface ModelCard {
  readonly name: string;
  readonly architecture: string;
  readonly vocab: number;
  readonly width: number;
  readonly blocks: number;
  readonly context: number;
  readonly parameters: number;
}

export interface ManifestUnit {
  readonly id: string;
  readonly key: string; // content hash of everything that shaped it
  readonly seconds: number;
  readonly peakRssBytes: number;
  /** The most that its folder held at once while it was made; absent in artefacts from before it was measured. */
  readonly peakDiskBytes?: number;
}

export type ManifestFile =
  | { readonly path: string; readonly bytes: number; readonly sha256: string }
  | { readonly path: string; readonly bytes: number; readonly link: LinkIdentity };

/** Linked checkpoint files are not hashed on every export; these say whether they are still the same. */
export interface LinkIdentity {
  readonly size: number;
  readonly mtimeMs: number;
  readonly inode: number;
  readonly headerSha256: string;
}

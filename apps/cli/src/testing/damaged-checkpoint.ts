import { cpSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

type Header = Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;

/** A checkpoint on disk that can be broken in one place. */
export class Damaged {
  readonly folder: string;

  constructor(from: string, folder: string) {
    cpSync(from, folder, { recursive: true });
    this.folder = folder;
  }

  get weights(): string {
    return join(this.folder, "model.safetensors");
  }

  config(change: (config: Record<string, unknown>) => void): void {
    const path = join(this.folder, "config.json");
    const config = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
    change(config);
    writeFileSync(path, JSON.stringify(config));
  }

  /** Writes the header anew, of the same length where there is room, so that only what is changed changes. */
  header(change: (header: Header) => void): void {
    const bytes = readFileSync(this.weights);
    const length = Number(bytes.readBigUInt64LE(0));
    const header = JSON.parse(bytes.subarray(8, 8 + length).toString("utf8")) as Header;
    change(header);
    const json = Buffer.from(JSON.stringify(header).padEnd(length, " "), "utf8");
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(BigInt(json.length));
    writeFileSync(this.weights, Buffer.concat([size, json, bytes.subarray(8 + length)]));
  }

  cut(bytes: number): void {
    truncateSync(this.weights, bytes);
  }

  headerLength(length: bigint): void {
    const bytes = readFileSync(this.weights);
    bytes.writeBigUInt64LE(length, 0);
    writeFileSync(this.weights, bytes);
  }
}

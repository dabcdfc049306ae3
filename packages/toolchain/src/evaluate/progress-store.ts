import { createHash } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder } from "@llm/tensor/files";
import type { Score } from "./score.ts";

/** How far an evaluation is. */
export interface Kept {
  readonly windows: number;
  readonly score: Score;
}

/** How often it is written, at most. */
const EVERY_MS = 5000;

/** Remembers how far an evaluation is, so that one which was interrupted goes on from there. */
export class ProgressStore {
  readonly #file: string;
  #written = performance.now();

  /** `parts` say what is evaluated: equal ones go on from each other. */
  constructor(folder: string, parts: readonly unknown[]) {
    const key = createHash("sha256")
      .update(JSON.stringify(["eval@1", ...parts]))
      .digest("hex");
    this.#file = join(folder, `${key}.json`);
  }

  async read(): Promise<Kept | undefined> {
    const text = await readFile(this.#file, "utf8").catch(() => undefined);
    if (text === undefined) return undefined;
    try {
      const kept = JSON.parse(text) as Kept;
      const whole = [
        kept.windows,
        ...["tokens", "loss", "baseLoss", "divergence", "agreed"].map((key) => kept.score[key as keyof Score]),
      ];
      return whole.every(Number.isFinite) ? kept : undefined;
    } catch {
      return undefined; // of an interrupted disk: it starts again
    }
  }

  /** Writes now and then; at once when `force`d. */
  async write(kept: Kept, force = false): Promise<void> {
    if (!force && performance.now() - this.#written < EVERY_MS) return;
    this.#written = performance.now();
    const temporary = `${this.#file}.${process.pid}`;
    await makeFolder(join(this.#file, ".."));
    await writeFile(temporary, JSON.stringify(kept));
    await rename(temporary, this.#file);
  }

  async remove(): Promise<void> {
    await rm(this.#file, { force: true });
  }
}

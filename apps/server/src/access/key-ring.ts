import { createHash, timingSafeEqual } from "node:crypto";
import { readFile, stat } from "node:fs/promises";

/** How often a key file is looked at, at most. */
const LOOK_EVERY_MS = 1000;

/** More is no list of keys. */
const MAX_FILE_BYTES = 2 ** 20;

export interface KeyRingOptions {
  readonly keys?: readonly string[];
  /** One key a line; empty lines and those that begin with # are no keys. Read again when it changes. */
  readonly file?: string;
  /** Told when the file can't be read any more: the keys that were in it stay valid. */
  readonly onProblem?: (message: string) => void;
}

/**
 * The keys that open the server, kept as digests. A guess is compared with every one of them, digest against digest, so
 * that the time it takes says nothing about how near it was.
 */
export class KeyRing {
  readonly #given: readonly Buffer[];
  readonly #file: string | undefined;
  readonly #onProblem: (message: string) => void;
  #fromFile: readonly Buffer[] = [];
  #stamp = "";
  #lookedAt = 0;

  private constructor({ keys = [], file, onProblem = () => {} }: KeyRingOptions) {
    this.#given = keys.map(digest);
    this.#file = file;
    this.#onProblem = onProblem;
  }

  /** @throws the file system's error for a file that can't be read; an Error for one without a key */
  static async open(options: KeyRingOptions): Promise<KeyRing> {
    const ring = new KeyRing(options);
    if (options.file !== undefined) {
      await ring.#read(options.file);
      if (ring.#fromFile.length === 0) throw new NoKeysError(options.file);
    }
    return ring;
  }

  /** A short name for the key, for logs and limits; undefined for what is no key of this ring. */
  async nameOf(key: string): Promise<string | undefined> {
    if (key === "") return undefined; // whatever was taken for a key by mistake
    await this.#refresh();
    const guess = digest(key);
    let found = false;
    for (const known of [...this.#given, ...this.#fromFile]) found = timingSafeEqual(known, guess) || found;
    return found ? `key-${guess.toString("hex", 0, 4)}` : undefined;
  }

  async #refresh(): Promise<void> {
    const now = Date.now();
    if (this.#file === undefined || now - this.#lookedAt < LOOK_EVERY_MS) return;
    this.#lookedAt = now;
    try {
      await this.#read(this.#file);
    } catch (error) {
      this.#onProblem(`${this.#file} can't be read, so its keys stay as they were: ${(error as Error).message}`);
    }
  }

  async #read(file: string): Promise<void> {
    const { mtimeMs, size, ino } = await stat(file);
    const stamp = `${mtimeMs} ${size} ${ino}`;
    if (stamp === this.#stamp) return;
    if (size > MAX_FILE_BYTES) throw new Error(`a key file has at most ${MAX_FILE_BYTES} bytes, this one ${size}`);
    const lines = (await readFile(file, "utf8")).split("\n").map((line) => line.trim());
    this.#fromFile = lines.filter((line) => line !== "" && !line.startsWith("#")).map(digest);
    this.#stamp = stamp;
  }
}

/** A key file that would let nobody in. */
export class NoKeysError extends Error {
  readonly code = "no-keys";

  constructor(file: string) {
    super(`${file} has no keys: write one a line`);
    this.name = "NoKeysError";
  }
}

const digest = (key: string): Buffer => createHash("sha256").update(key).digest();

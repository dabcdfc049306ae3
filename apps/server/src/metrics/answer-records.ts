import type { Generator } from "@llm/toolchain";
import type { Ask } from "../engine/answers.ts";

/** One answer on its way, as far as the server sees it. */
export interface AnswerRecord {
  readonly id: number;
  readonly model: string;
  readonly generator: Generator;
  readonly ask: Ask;
  readonly began: number;
  /** When its last token came; when it was asked for, before the first. */
  last: number;
  said: number;
}

/** The answers that are on their way, in the order they were asked for. */
export class AnswerRecords {
  readonly #records = new Set<AnswerRecord>();
  #next = 0;

  begin(model: string, generator: Generator, ask: Ask): AnswerRecord {
    const began = performance.now();
    const record = { id: this.#next++, model, generator, ask, began, last: began, said: 0 };
    this.#records.add(record);
    return record;
  }

  end(record: AnswerRecord): void {
    this.#records.delete(record);
  }

  of(generator: Generator): AnswerRecord[] {
    return [...this.#records].filter((record) => record.generator === generator);
  }
}

import { randomUUID } from "node:crypto";
import type { AnswerPart } from "@llm/generate";

/** A stretch of an answer that is of one kind. */
export interface Block {
  readonly index: number;
  readonly kind: "text" | "reasoning" | "call";
  /** What clients refer to it by. */
  readonly id: string;
  /** Of a call: the function's name. */
  readonly name: string;
  /** So far; of a call its arguments. */
  text: string;
}

export type BlockEvent =
  | { readonly type: "open"; readonly block: Block }
  | { readonly type: "piece"; readonly block: Block; readonly text: string }
  | { readonly type: "close"; readonly block: Block };

/** The parts of an answer as blocks that begin, grow and end, one after the other. */
export class Blocks {
  readonly all: Block[] = [];
  #open: Block | undefined;

  push(parts: readonly AnswerPart[]): BlockEvent[] {
    return parts.flatMap((part) => {
      if (part.kind === "call") return this.#begin("call", part.name);
      if (part.kind === "arguments") return this.#grow(part.text);
      const begun = this.#open?.kind === part.kind ? [] : this.#begin(part.kind, "");
      return [...begun, ...this.#grow(part.text)];
    });
  }

  /** Ends the last one. */
  end(): BlockEvent[] {
    const block = this.#open;
    this.#open = undefined;
    return block ? [{ type: "close", block }] : [];
  }

  #begin(kind: Block["kind"], name: string): BlockEvent[] {
    const closed = this.end();
    const block = { index: this.all.length, kind, name, id: randomUUID().replaceAll("-", "").slice(0, 24), text: "" };
    this.all.push(block);
    this.#open = block;
    return [...closed, { type: "open", block }];
  }

  #grow(text: string): BlockEvent[] {
    const block = this.#open!;
    block.text += text;
    return text === "" ? [] : [{ type: "piece", block, text }];
  }
}

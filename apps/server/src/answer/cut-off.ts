import type { AnswerParser, Completion } from "@llm/generate";

/** Whether an answer's length cut something off. One that stopped behind a whole call has all that clients go on with. */
export const isCutOff = ({ finishReason }: Pick<Completion, "finishReason">, parser: AnswerParser): boolean =>
  finishReason === "length" && !parser.endsWithCall;

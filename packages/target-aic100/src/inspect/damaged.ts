import { TargetError } from "@llm/target";

/** A file that is not what it says. */
export class Damaged extends TargetError {
  constructor(what: string) {
    super("artefact-damaged", `the QPC is damaged: ${what}`);
  }
}

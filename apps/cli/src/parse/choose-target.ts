import { DEFAULT_TARGET } from "../definition/options.ts";
import { UsageError } from "../exit.ts";

/** An option of some targets, as a flag or the environment says it. */
export interface SaidOption {
  readonly key: string;
  readonly value: unknown;
  readonly said: string;
  /** The targets that have it. */
  readonly targets: readonly string[];
}

interface Asked {
  /** What `--target` says. */
  readonly flag: string | undefined;
  /** What the environment says: where the work goes unless a flag asks for something else. */
  readonly setting: string | undefined;
  readonly flags: readonly SaidOption[];
  readonly installed: readonly string[];
}

export interface ChosenTarget {
  /** Undefined where nothing says which. */
  readonly target: string | undefined;
  /** Those whose options the flags are, where several are possible: the model says which, an artefact was made for one. */
  readonly possible: readonly string[];
}

/** The target that a command line is about: the one it names, else the one that its other flags belong to, else the setting's. */
export function chooseTarget({ flag, setting, flags, installed }: Asked): ChosenTarget {
  if (flag !== undefined) {
    const foreign = flags.find(({ targets }) => !targets.includes(flag));
    if (foreign)
      throw new UsageError(
        `${foreign.said} belongs to ${foreign.targets.join(" and ")}, not to --target ${flag}; leave one of them out`,
      );
    return { target: flag, possible: [flag] };
  }
  if (flags.length === 0) return { target: setting, possible: [setting ?? DEFAULT_TARGET] };
  const possible = installed.filter((id) => flags.every(({ targets }) => targets.includes(id)));
  if (possible.length === 0)
    throw new UsageError(
      `${flags.map(({ said }) => said).join(" and ")} belong to different targets; leave some of them out`,
    );
  if (setting !== undefined && possible.includes(setting)) return { target: setting, possible: [setting] };
  // An option that only one target has implies it; one that several have implies nothing.
  if (possible.length === 1) return { target: possible[0], possible };
  return { target: undefined, possible: possible.includes(DEFAULT_TARGET) ? [DEFAULT_TARGET] : possible };
}

import { readFileSync } from "node:fs";
import { goldenDir, goldenNames } from "@llm/fixtures";
import { architectureFor } from "@llm/models";

export interface GoldenModel {
  readonly name: string;
  readonly architecture: string;
}

/** Golden models of the architectures there are. */
export const GOLDEN_MODELS: readonly GoldenModel[] = goldenNames().flatMap((name) => {
  const architecture = architectureOf(name);
  return architecture === undefined ? [] : [{ name, architecture }];
});

/** The first golden model of each architecture. */
export const ONE_OF_EACH: readonly GoldenModel[] = GOLDEN_MODELS.filter(
  ({ architecture }, at) => GOLDEN_MODELS.findIndex((other) => other.architecture === architecture) === at,
);

function architectureOf(name: string): string | undefined {
  const config = JSON.parse(readFileSync(`${goldenDir(name)}/config.json`, "utf8"));
  try {
    return architectureFor(config).id;
  } catch {
    return undefined;
  }
}

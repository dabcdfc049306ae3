import { z } from "zod";

/** Levels of a JSON value in a request. What is generated from schemas nests a few dozen deep; what walks them has a stack. */
const DEEPEST = 256;

const TOO_DEEP = `it is nested more than ${DEEPEST} levels deep`;

/** Any JSON object that isn't nested without end. */
export const jsonObject = z.record(z.string(), z.unknown()).refine((value) => !isTooDeep(value), TOO_DEEP);

/** Level by level, not by recursion: a body may have a million. */
function isTooDeep(value: unknown): boolean {
  let level = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEEPEST) return true;
    level = level.flatMap((each) =>
      typeof each === "object" && each !== null
        ? Object.values(each).filter((child) => typeof child === "object" && child !== null)
        : [],
    );
  }
  return false;
}

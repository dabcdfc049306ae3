/** Tests of the addon skip where it isn't built, unless everything is required: then they run, and fail saying why. */
export function skipWithout(there: boolean): boolean {
  return !there && process.env.LLM_TEST_REQUIRE_ALL !== "1";
}

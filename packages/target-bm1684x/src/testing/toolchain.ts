import { isInstalled, toolchainOf } from "../tools/toolchain.ts";

/** Why tests with the vendor's compiler can't run here; undefined where they can. In CI they must. */
export function missingToolchain(): string | undefined {
  if (isInstalled(toolchainOf())) return undefined;
  const reason = "llm doctor --target bm1684x --install fetches the vendor's compiler";
  if (process.env.LLM_TEST_REQUIRE_ALL === "1")
    throw new Error(`tests with the BM1684X compiler must run here: ${reason}`);
  return reason;
}

import { testConfig } from "../../vitest.shared.ts";

/** The conformance suite over workers takes minutes: it is for `pnpm test:mesh`. */
const long = process.env.LLM_TEST_MESH === "all" ? [] : ["src/mesh/conformance.test.ts"];

export default testConfig({ exclude: long });

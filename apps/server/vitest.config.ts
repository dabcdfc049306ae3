import { testConfig } from "../../vitest.shared.ts";

/** What other people's programs do to a server takes minutes, and packages of theirs: it is for `pnpm test:clients`. */
const long = process.env.LLM_TEST_CLIENTS === "all" ? [] : ["src/clients/*.test.ts"];

export default testConfig({ exclude: long });

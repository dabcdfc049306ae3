import { testConfig } from "../../vitest.shared.ts";

/** Every launch takes the simulator about a second: the whole conformance suite is for `pnpm test:simulator`. */
const long = process.env.LLM_SIMULATOR === "all" ? [] : ["src/session/simulator.test.ts"];

export default testConfig({ exclude: long });

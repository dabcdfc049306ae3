import { configureGlobal } from "fast-check";

/** Random cases are the same in every run, so that one that fails says something of the change; `LLM_TEST_SEED=7 pnpm test` draws others. */
configureGlobal({ seed: Number(process.env.LLM_TEST_SEED) });

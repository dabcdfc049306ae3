import { cutAtCollectives } from "../mesh/cut-at-collectives.ts";
import { partition } from "../mesh/partition.ts";
import { stages } from "../mesh/stages.ts";
import type { Pass } from "../pass.ts";
import { cacheForm } from "./cache-form.ts";
import { eliminateDead } from "./eliminate-dead.ts";
import { exposeBlocks } from "./expose-blocks.ts";
import { foldConstants } from "./fold-constants.ts";
import { lastToken } from "./last-token.ts";
import { lowRank } from "./low-rank.ts";
import { lower } from "./lower.ts";
import { geluForm, scaleNorms } from "./op-forms.ts";
import { pad } from "./pad.ts";
import { precision } from "./precision.ts";
import { quantise } from "./quantise.ts";
import { rotaryTables } from "./rotary-tables.ts";
import { roundResults } from "./round-results.ts";
import { scaleQueries } from "./scale-queries.ts";
import { share } from "./share.ts";
import { specialise } from "./specialise.ts";
import { splitBlocks } from "./split-blocks.ts";
import { splitLinears } from "./split-linears.ts";

/** The passes of core-ir, by name; a target adds its own. */
export const corePasses: readonly Pass[] = [
  cacheForm,
  cutAtCollectives,
  eliminateDead,
  exposeBlocks,
  foldConstants,
  geluForm,
  lastToken,
  lowRank,
  lower,
  pad,
  partition,
  precision,
  quantise,
  rotaryTables,
  roundResults,
  scaleNorms,
  scaleQueries,
  share,
  specialise,
  splitBlocks,
  splitLinears,
  stages,
];

import { type Dialect, dialect } from "../op-def.ts";
import { activation, glu } from "./activation.ts";
import { attention } from "./attention.ts";
import { embed } from "./embed.ts";
import { experts, route } from "./experts.ts";
import { latentAttention } from "./latent-attention.ts";
import { linear } from "./linear.ts";
import { norm } from "./norm.ts";
import { rotary } from "./rotary.ts";
import { pick, round, softcap } from "./small.ts";

/** What models are made of. Leading axes are ignored: the same graph is packed or padded. */
export const decoder: Dialect = dialect("decoder", {
  embed,
  linear,
  norm,
  rotary,
  attention,
  latent_attention: latentAttention,
  activation,
  glu,
  route,
  experts,
  softcap,
  pick,
  round,
});

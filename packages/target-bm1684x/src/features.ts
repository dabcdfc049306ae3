import type { Feature } from "@llm/target";
import { REFUSALS } from "./refusals.ts";

/** What this target does, and on what that was shown. */
export const bm1684xFeatures: readonly Feature[] = [
  { name: "16-bit weights", state: "yes", shown: "simulator" },
  {
    name: "4- and 8-bit weights",
    state: "yes",
    shown: "simulator",
    note: "linears that fill the chip's 64 lanes, in groups; the head in 8 bits",
  },
  { name: "sliding windows, ALiBi, softcaps", state: "yes", shown: "simulator", note: "by masks and positions" },
  { name: "tokens chosen on the device", state: "yes", shown: "simulator", note: "the best one" },
  {
    name: "tokens drawn on the device",
    state: "partly",
    shown: "simulator",
    note: "with --top-k up to 63: the device finds the 64 best and their shares; else logits are read",
  },
  {
    name: "rotary frequencies that depend on length",
    state: "partly",
    shown: "tests",
    note: "up to the length at which they change; longer is refused, because a net has one set",
  },
  {
    name: "several chips",
    state: "yes",
    shown: "simulator",
    note: "slices of every layer, added up by the host, or some layers each; with norms over all heads layers only",
  },
  {
    name: "copies",
    state: "yes",
    shown: "simulator",
    note: "--mesh 2x1: on chips of their own, as one session with all their slots",
  },
  ...REFUSALS.map(({ what, why }): Feature => ({ name: what, state: "no", shown: "-", note: why })),
];

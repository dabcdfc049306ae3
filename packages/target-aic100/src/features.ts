import type { Feature } from "@llm/target";

/** What this target does, and on what that was shown: there was no card, so nothing says hardware. */
export const aic100Features: readonly Feature[] = [
  {
    name: "caches that stay on the card",
    state: "yes",
    shown: "emulator",
    note: "written at positions, or at one index for all rows; the SDK's profile says which",
  },
  { name: "ragged batches, continuous batching", state: "yes", shown: "emulator" },
  { name: "chunked prefill", state: "yes", shown: "emulator" },
  { name: "drafts checked in one call", state: "yes", shown: "emulator", note: "--num-speculative-tokens" },
  { name: "shorter contexts beside the whole", state: "yes", shown: "emulator", note: "--comp-ctx-lengths" },
  { name: "fp16, MXFP6 weights, MXINT8 caches", state: "yes", shown: "emulator" },
  { name: "sliding windows", state: "yes", shown: "emulator", note: "caches as long as the window and a call" },
  { name: "key and value heads replicated", state: "yes", shown: "emulator" },
  {
    name: "shards of our own as programs",
    state: "partly",
    shown: "emulator",
    note: "--mesh 1x4: exported and emulated; cards share layers by the vendor's slicing (--device-group)",
  },
  {
    name: "copies",
    state: "yes",
    shown: "emulator",
    note: "--mesh 2x1: on devices of their own, as one session with all their slots; not by one index for all rows",
  },
  { name: "blocks as functions", state: "yes", shown: "emulator" },
  {
    name: "rotary frequencies that depend on length",
    state: "yes",
    shown: "emulator",
    note: "by an input of our own, reach: the prompt's length",
  },
  {
    name: "compiling, by each SDK's own flags and files",
    state: "yes",
    shown: "tests",
    note: "or a kit for a machine that has the SDK",
  },
  { name: "plans for Standard, Pro, Ultra and DL2q", state: "yes", shown: "tests" },
  { name: "QPCs looked into", state: "yes", shown: "tests", note: "files written by our own writer of the format" },
  {
    name: "QPCs run on cards",
    state: "partly",
    shown: "tests",
    note: "through an adapter for the vendor's library, on a stand-in for it; never tried on a card",
  },
  {
    name: "tokens chosen on the card",
    state: "yes",
    shown: "emulator",
    note: "--on-device-sampling: penalties, temperature, top-k up to 512, top-p, min-p, masks",
  },
];

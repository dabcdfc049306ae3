import type { Limits } from "../session.ts";
import { AppendForm } from "./forms/append.ts";
import type { CacheForm } from "./forms/cache-form.ts";
import { HistoryForm } from "./forms/history.ts";
import { PagedForm } from "./forms/paged.ts";
import { ScatterForm } from "./forms/scatter.ts";

/** Devices whose limits and cache the null target can take on. */
export const NULL_DEVICES = ["cpu", "aic100", "aic100-recipe", "bm1684x"] as const;
export type NullDevice = (typeof NULL_DEVICES)[number];

export interface NullSizes {
  readonly slots: number;
  readonly context: number;
  readonly prompt: number; // tokens of a prefill call, where shapes are fixed
  readonly vocab: number;
  readonly width: number;
}

interface DeviceEntry {
  readonly doc: string;
  limits(sizes: NullSizes): Limits;
  form(limits: Limits, sizes: NullSizes): CacheForm;
}

const everywhere = { adapters: 0, batchInvariant: true } as const;

export const DEVICES: Readonly<Record<NullDevice, DeviceEntry>> = {
  cpu: {
    doc: "one ragged call over pages that histories share",
    limits: ({ slots, context, vocab, width }) => ({
      ...everywhere,
      slots,
      context,
      cacheTokens: Math.max(context, Math.ceil((slots * context) / 2)), // pages go to whoever needs them
      vocab,
      width,
      chunk: context,
      verify: 16,
      resume: true,
      rewind: context,
      lockstep: false,
      fork: "share",
      wants: ["logits", "hidden", "top", "token"],
      sampling: ["greedy"],
    }),
    form: ({ slots, cacheTokens }) => new PagedForm(slots, cacheTokens),
  },
  aic100: {
    doc: "calls of fixed shapes, a retained cache written at positions",
    limits: ({ slots, context, prompt, vocab, width }) => ({
      ...everywhere,
      slots,
      context,
      cacheTokens: slots * context,
      vocab,
      width,
      chunk: Math.min(prompt, context),
      verify: 1,
      resume: true,
      rewind: context,
      lockstep: false,
      fork: "none",
      wants: ["logits"],
      sampling: [],
    }),
    form: ({ slots, context, chunk }) =>
      new ScatterForm({ slots, prefill: chunk, decode: 1, batchIndex: true }, context),
  },
  "aic100-recipe": {
    doc: "one write index for all rows, left padding, a retained mask",
    limits: ({ slots, context, vocab, width }) => ({
      ...everywhere,
      slots,
      context,
      cacheTokens: slots * context,
      vocab,
      width,
      chunk: context,
      verify: 1,
      resume: true,
      rewind: 0,
      lockstep: true,
      fork: "none",
      wants: ["logits"],
      sampling: [],
    }),
    form: ({ slots, context }) => new AppendForm(slots, context),
  },
  bm1684x: {
    doc: "net by net and row by row, a prefill net at 0, then one token a launch",
    limits: ({ slots, context, vocab, width }) => ({
      ...everywhere,
      slots,
      context,
      cacheTokens: slots * context,
      vocab,
      width,
      chunk: context,
      verify: 1,
      resume: false,
      rewind: context,
      lockstep: false,
      fork: "copy",
      wants: ["logits", "token"],
      sampling: ["greedy"],
    }),
    form: ({ slots, context }) => new HistoryForm(slots, context),
  },
};

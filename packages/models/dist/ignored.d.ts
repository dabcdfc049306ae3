import type { Harmless } from "@llm/tensor";
/** Rotary tables that older checkpoints store. */
export declare const INVERSE_FREQUENCIES: Harmless;
/** Causal masks that older checkpoints store. */
export declare const CAUSAL_MASKS: Harmless;
/** A head of its own in a checkpoint whose config ties it: the published classes use the embedding. */
export declare const TIED_HEAD: Harmless;
/** Fields of every transformers config, at any depth, that no decoder reads. */
export declare const GENERIC_IGNORED: Readonly<Record<string, string>>;
/** Fields that change nothing in inference, whatever the architecture, each with the reason. */
export declare const COMMON_IGNORED: Readonly<Record<string, string>>;
/** What the GPT-2 family's configs carry besides. */
export declare const GPT2_IGNORED: Readonly<Record<string, string>>;
/** What routers carry for training. */
export declare const ROUTER_TRAINING_IGNORED: Readonly<Record<string, string>>;
/** What Gemma's configs carry besides. */
export declare const GEMMA_IGNORED: Readonly<Record<string, string>>;
//# sourceMappingURL=ignored.d.ts.map
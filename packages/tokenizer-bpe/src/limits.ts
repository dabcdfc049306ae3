/** What a well-formed tokenizer can't exceed; checked before a number out of a file is used as a length. */
const MiB = 1024 * 1024;

/** The largest published tokenizer.json (256,000 tokens with merges) has 35 MB. */
export const MAX_FILE_BYTES = 512 * MiB;

/** The largest published vocabulary has 262,144 tokens; ids index arrays, so an absurd one must not allocate. */
export const MAX_TOKEN_ID = 16 * MiB;

/** A merge's rank and both its sides are ids; the largest published list has 514,906. */
export const MAX_MERGES = 16 * MiB;

/** Published pipelines nest twice (a Sequence inside a Sequence); deeper ones only come from damaged files. */
export const MAX_PIPELINE_DEPTH = 16;

/** The longest published regex has some 600 characters; V8 refuses far longer ones late and slowly. */
export const MAX_PATTERN_LENGTH = 16 * 1024;

/** The longest published added token has some 60 characters. */
export const MAX_ADDED_TOKEN_LENGTH = 64 * 1024;

/** The largest published chat template has 30 KB. */
export const MAX_TEMPLATE_LENGTH = MiB;

/**
 * What a well-formed checkpoint can't exceed. Everything read from a file is checked against one of these before it is
 * used as a length, so that no input makes us allocate without bound.
 */
const MiB = 1024 * 1024;

/** safetensors' own limit; a header holds about 100 bytes a tensor. */
export const MAX_SAFETENSORS_HEADER = 100 * MiB;

/** config.json and its relatives are kilobytes; label maps of classifiers reach a few hundred. */
export const MAX_CONFIG_BYTES = 16 * MiB;

/** About 100 bytes a tensor; the largest published mixture of experts has some 100,000 tensors. */
export const MAX_INDEX_BYTES = 64 * MiB;

/** Tokenizer files: the largest published one, with 256,000 tokens and its merges, has 35 MB. */
export const MAX_SIDE_FILE_BYTES = 256 * MiB;

/** The largest published checkpoints have fewer than 200; each is a file handle while it is open. */
export const MAX_SHARDS = 1000;

/** NumPy's limit is 64, torch's kernels stop at 25, published weights at 4. */
export const MAX_RANK = 16;

/** Large mixtures of experts reach 100,000 tensors when every expert is stored alone and quantised in four parts. */
export const MAX_TENSORS = 1_000_000;

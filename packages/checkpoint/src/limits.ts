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

/** About 200 bytes a tensor; the rest of a PyTorch file is raw storage outside the pickle. */
export const MAX_PICKLE_BYTES = 256 * MiB;

/** One entry a tensor and a few more; each takes about 100 bytes of the directory. */
export const MAX_ZIP_DIRECTORY = 256 * MiB;

/**
 * Instructions of a pickle, and values that its calls take apart: a tensor takes about 50, so this is some 300,000 tensors. It
 * bounds time and memory where a small file could ask for much.
 */
export const MAX_PICKLE_STEPS = 16_000_000;

/** Python integers of a state dict are sizes and offsets (8 bytes) and the 10-byte magic number. */
export const MAX_PICKLE_LONG_BYTES = 32;

/** A view that repeats its storage (stride 0) costs nothing on disk; what it may unfold to. Published ones are small buffers. */
export const MAX_EXPANDED_ELEMENTS = 64 * MiB;

/** GGUF metadata is mostly the tokenizer: 256,000 tokens, scores and merges are 12 MB. */
export const MAX_GGUF_HEADER = 256 * MiB;

/** Files have some 50 keys; converters that copy whole configs reach hundreds. */
export const MAX_GGUF_KEYS = 100_000;

/** ggml's GGML_MAX_DIMS. */
export const MAX_GGUF_RANK = 4;

/** Arrays in arrays: no published file has any, the format allows them. */
export const MAX_GGUF_NESTING = 4;

/** The largest alignment in use is a page; a larger one would only make the file larger. */
export const MAX_GGUF_ALIGNMENT = 1 * MiB;

/** The deepest published model has 200 blocks, the widest 256 heads and 512 experts; lists as long as these are made. */
export const MAX_BLOCKS = 10_000;
export const MAX_HEADS = 65_536;
export const MAX_STACKED = 65_536;

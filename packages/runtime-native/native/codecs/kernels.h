#pragma once

#include <cstddef>
#include <cstdint>

namespace llm::codecs {

// Kinds of numbers that are converted among each other; the JavaScript side passes these numbers.
enum Kind : uint32_t { kF32 = 0, kF16 = 1, kBf16 = 2, kKinds = 3 };

// Elements of the MX formats.
enum MxElement : uint32_t { kE2M3 = 0, kE3M2 = 1, kE2M1 = 2, kInt8 = 3, kMxElements = 4 };

// GGUF's block types. Where there is no encoder, the table below has none.
enum BlockType : uint32_t {
  kQ4_0, kQ4_1, kQ5_0, kQ5_1, kQ8_0, kQ2_K, kQ3_K, kQ4_K, kQ5_K, kQ6_K, kIq4Nl, kIq4Xs, kMxfp4, kBlockTypes
};

struct BlockShape {
  size_t values, bytes;
};

inline constexpr BlockShape kBlockShapes[kBlockTypes] = {
    {32, 18},   {32, 20},   {32, 22},   {32, 24}, {32, 34},   {256, 84}, {256, 110},
    {256, 144}, {256, 176}, {256, 210}, {32, 18}, {256, 136}, {32, 17},
};

struct Int8Job {
  float* values;  // rounded in place where there is no `data`
  size_t columns, group;
  int8_t* data;
  uint16_t* scales;
};

struct NBitsJob {
  float* values;  // rounded in place where there is no `data`
  size_t columns, group;
  bool wide, symmetric, half;  // 8 bits rather than 4; no zero points; scales in fp16 rather than fp32
  uint8_t* data;
  void* scales;
  uint8_t* zeros;
};

// Most values of a group that shares a scale, where groups have a bound.
inline constexpr size_t kMostGroup = 256;

// BM1684X has its outputs on so many lanes.
inline constexpr size_t kChipLanes = 64;

// A linear as BM1684X wants it: scales and zero points by lanes.
struct LanesJob {
  float* values;  // rounded in place where there is no `data`
  size_t rows, columns, group;
  bool wide, symmetric, channel;  // 8 bits rather than 4; no zero points; signed, with one scale for a row
  uint8_t* data;
  uint16_t* scales;
  uint8_t* zeros;
};

// A 4-bit linear as GPTQ and AWQ publish them.
struct WordsJob {
  float* values;  // rounded in place where there are no `words`
  size_t rows, columns, group;
  bool symmetric, by_input;
  int32_t zero_offset;  // what zero points are stored less
  const uint8_t* places;
  uint32_t* words;
  uint32_t* zeros;
  uint16_t* scales;
};

struct MxJob {
  float* values;  // rounded in place where there is no `data`
  size_t columns;
  MxElement element;
  uint8_t* data;
  uint8_t* scales;
};

// A published 4-bit (or 2 or 8) linear, as packages/tensor/src/formats/linear-words.ts says.
struct LinearJob {
  const uint32_t* words;
  const float *scales, *zeros;  // (groups, outputs)
  const int32_t* group_of;      // (inputs)
  float* values;                // (outputs, inputs)
  size_t outputs, inputs, word_columns, skipped;
  uint32_t bits;
  bool by_input;
  const uint8_t* places;
};

// One set of loops, compiled for one level of vector code. The levels give the same bits: no fused multiply-add anywhere, and
// every rounding is written out. `from` and `to` count rows or blocks, so that threads can share the work.
struct Kernels {
  const char* name;
  // How many finite values became infinite.
  uint64_t (*convert)(Kind from, Kind to, const void* source, void* into, size_t count);
  // fp16's infinities become its largest numbers; how many there were.
  uint64_t (*clip)(uint16_t* halves, size_t count);
  void (*decode)(BlockType type, const uint8_t* packed, float* values, size_t blocks);
  // False: there is no encoder.
  bool (*encode)(BlockType type, const float* values, uint8_t* packed, size_t blocks);
  void (*int8)(const Int8Job& job, size_t from, size_t to);
  void (*n_bits)(const NBitsJob& job, size_t from, size_t to);
  void (*mx)(const MxJob& job, size_t from, size_t to);
  void (*linear)(const LinearJob& job, size_t from, size_t to);
  void (*lanes)(const LanesJob& job, size_t from, size_t to);
  void (*words)(const WordsJob& job, size_t from, size_t to);
};

extern const Kernels kBaseKernels;
#if defined(LLM_CODECS_X64)
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;
#endif

}  // namespace llm::codecs

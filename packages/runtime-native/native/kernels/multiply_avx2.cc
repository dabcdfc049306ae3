// Compiled for AVX2 with FMA and F16C; only called where the processor has all three.
#include "kernels/processors.h"

#ifdef LLM_X64

#include <immintrin.h>

#include <algorithm>
#include <cstring>
#include <limits>

namespace llm::kernels {

namespace {

// Half a panel fills a register: its codes of a group, and sums of so many rows of activations, fill all of them.
constexpr size_t kHalf = kPanelRows / 2;
constexpr size_t kQuads = kGroup / 4;
constexpr size_t kTile = 4;

template <bool Half>
__m256 LoadScales(const uint8_t* at, size_t side) {
  if constexpr (Half) return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at + 16 * side)));
  return _mm256_loadu_ps(reinterpret_cast<const float*>(at + 32 * side));
}

__m256i Broadcast(const int8_t* codes) {
  int32_t four;
  std::memcpy(&four, codes, 4);
  return _mm256_set1_epi32(four);
}

// The products of a group, added up in each of 8 rows. In 4 bits, codes are unsigned with 8 for zero, which `total`, the sum
// of the activations, takes away; eight sums of two such products fit 16 bits. In 8 bits two barely do, so the sign goes to
// the activation, and what is added up has 32 bits.
template <int Bits>
__m256i Products(const __m256i (&quads)[kQuads], const int8_t* codes, int32_t total) {
  const __m256i ones = _mm256_set1_epi16(1);
  if constexpr (Bits == 4) {
    __m256i pairs = _mm256_maddubs_epi16(quads[0], Broadcast(codes));
    for (size_t j = 1; j < kQuads; j++) pairs = _mm256_add_epi16(pairs, _mm256_maddubs_epi16(quads[j], Broadcast(codes + 4 * j)));
    return _mm256_add_epi32(_mm256_madd_epi16(pairs, ones), _mm256_set1_epi32(-8 * total));
  } else {
    __m256i sum = _mm256_setzero_si256();
    for (size_t j = 0; j < kQuads; j++) {
      const __m256i signed_codes = _mm256_sign_epi8(Broadcast(codes + 4 * j), quads[j]);
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(_mm256_abs_epi8(quads[j]), signed_codes), ones));
    }
    return sum;
  }
}

template <int Bits, bool Half, size_t Rows>
void Tile(const Activations& x, const Panels& w, size_t panel, size_t side, size_t first, __m256 (&sums)[Rows]) {
  constexpr size_t kCodes = kPanelRows * kGroup * Bits / 8;
  constexpr size_t kStep = kCodes + kPanelRows * (Half ? 2 : 4);
  const uint8_t* at = w.panel(panel);
  for (size_t m = 0; m < Rows; m++) sums[m] = _mm256_setzero_ps();
  for (size_t group = 0; group < w.groups(); group++, at += kStep) {
    __m256i quads[kQuads];
    const auto load = [&](size_t j) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at + 64 * j + 32 * side)); };
    if constexpr (Bits == 4) {
      const __m256i nibble = _mm256_set1_epi8(15);
      for (size_t j = 0; j < kQuads / 2; j++) {
        const __m256i both = load(j);
        quads[j] = _mm256_and_si256(both, nibble);
        quads[j + kQuads / 2] = _mm256_and_si256(_mm256_srli_epi16(both, 4), nibble);
      }
    } else {
      for (size_t j = 0; j < kQuads; j++) quads[j] = _mm256_xor_si256(load(j), _mm256_set1_epi8(-128));
    }
    const __m256 scale = LoadScales<Half>(at + kCodes, side);
    for (size_t m = 0; m < Rows; m++) {
      const __m256i sum = Products<Bits>(quads, x.codes(first + m) + group * kGroup, x.sums(first + m)[group]);
      const __m256 factor = _mm256_mul_ps(scale, _mm256_set1_ps(x.scales(first + m)[group]));
      sums[m] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum), factor, sums[m]);
    }
  }
}

template <int Bits, bool Half, size_t Rows>
void Rowed(const Activations& x, const Panels& w, size_t panel, size_t first, const float* bias, float* out, size_t stride) {
  for (size_t side = 0; side < 2; side++) {
    const size_t row = panel * kPanelRows + side * kHalf;
    if (row >= w.rows()) return;
    const size_t count = std::min(kHalf, w.rows() - row);
    __m256 sums[Rows];
    Tile<Bits, Half, Rows>(x, w, panel, side, first, sums);
    for (size_t m = 0; m < Rows; m++) {
      float values[kHalf];
      _mm256_storeu_ps(values, sums[m]);
      for (size_t i = 0; bias != nullptr && i < count; i++) values[i] += bias[row + i];
      std::memcpy(out + (first + m) * stride + row, values, count * sizeof(float));
    }
  }
}

template <int Bits, bool Half>
void MultiplyRange(const Activations& x, const Panels& w, const Block& block, const float* bias, float* out, size_t stride) {
  for (size_t first = block.from_row; first < block.to_row;) {
    const size_t rows = block.to_row - first >= kTile ? kTile : 1;
    const auto tile = rows == kTile ? Rowed<Bits, Half, kTile> : Rowed<Bits, Half, 1>;
    for (size_t panel = block.from_panel; panel < block.to_panel; panel++) tile(x, w, panel, first, bias, out, stride);
    first += rows;
  }
}

template <int Bits>
void MultiplyBits(const Activations& x, const Panels& w, const Block& block, const float* bias, float* out, size_t stride) {
  (w.half_scales() ? MultiplyRange<Bits, true> : MultiplyRange<Bits, false>)(x, w, block, bias, out, stride);
}

// Below this, 127 over it is infinite.
constexpr float kLeast = 127 / std::numeric_limits<float>::max();

// Codes have no infinity and no NaN: a group with one of them makes NaN of all that it is multiplied by.
void RoundToNaN(Activations& x, size_t row, size_t group) {
  std::memset(x.codes(row) + group * kGroup, 0, kGroup);
  x.scales(row)[group] = std::numeric_limits<float>::quiet_NaN();
  x.sums(row)[group] = 0;
}

void Round(Activations& x, size_t row, const float* values) {
  for (size_t group = 0; group < x.groups(); group++) {
    float part[kGroup] = {};
    const size_t from = group * kGroup;
    std::memcpy(part, values + from, std::min(kGroup, x.columns() - from) * sizeof(float));
    __m256 most = _mm256_setzero_ps();
    __m256 endless = _mm256_setzero_ps();
    const __m256 unsigned_bits = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff));
    const __m256 infinity = _mm256_set1_ps(std::numeric_limits<float>::infinity());
    for (size_t i = 0; i < kGroup; i += 8) {
      const __m256 size = _mm256_and_ps(_mm256_loadu_ps(part + i), unsigned_bits);
      most = _mm256_max_ps(most, size);
      endless = _mm256_or_ps(endless, _mm256_cmp_ps(size, infinity, _CMP_NLT_UQ));
    }
    if (_mm256_movemask_ps(endless) != 0) {
      RoundToNaN(x, row, group);
      continue;
    }
    float each[8];
    _mm256_storeu_ps(each, most);
    const float largest = *std::max_element(each, each + 8);
    const __m256 inverse = _mm256_set1_ps(largest > kLeast ? 127 / largest : 0);
    int32_t sum = 0;
    int8_t* const out = x.codes(row) + from;
    for (size_t i = 0; i < kGroup; i += 8) {
      int32_t codes[8];
      const __m256i rounded = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(part + i), inverse));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(codes), rounded);
      for (size_t k = 0; k < 8; k++) {
        out[i + k] = static_cast<int8_t>(codes[k]);
        sum += codes[k];
      }
    }
    x.scales(row)[group] = largest / 127;
    x.sums(row)[group] = sum;
  }
}

}  // namespace

const Kernel* Avx2Kernel(int bits) {
  static constexpr Kernel kFour{kTile, Round, MultiplyBits<4>};
  static constexpr Kernel kEight{kTile, Round, MultiplyBits<8>};
  return bits == 4 ? &kFour : bits == 8 ? &kEight : nullptr;
}

}  // namespace llm::kernels

#endif

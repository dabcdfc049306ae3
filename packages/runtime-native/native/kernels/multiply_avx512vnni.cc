// Compiled for AVX-512 with VNNI; only called where the processor has both.
#include "kernels/processors.h"

#ifdef LLM_X64

#include <immintrin.h>

#include <algorithm>
#include <cstring>
#include <limits>

namespace llm::kernels {

namespace {

// Rows of activations that share what is unpacked of a weight: their sums, the codes of a group and the scales fill the
// registers.
constexpr size_t kTile = 12;

__m512 LoadScales(const uint8_t* at, bool half) {
  return half ? _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)))
              : _mm512_loadu_ps(reinterpret_cast<const float*>(at));
}

// One panel by `Rows` rows from `first` on. Codes are unsigned with zero in the middle, so each group's sum begins at minus
// that middle times the sum of its activations.
template <int Bits, bool Half, size_t Rows>
void Tile(const Activations& x, const Panels& w, size_t panel, size_t first, __m512 (&sums)[Rows]) {
  constexpr size_t kQuads = kGroup / 4;
  constexpr int kMiddle = 1 << (Bits - 1);
  constexpr size_t kCodes = kPanelRows * kGroup * Bits / 8;
  constexpr size_t kStep = kCodes + kPanelRows * (Half ? 2 : 4);
  const __m512i nibble = _mm512_set1_epi8(15);
  const uint8_t* at = w.panel(panel);
  const int8_t* codes[Rows];
  const float* scales[Rows];
  const int32_t* totals[Rows];
  for (size_t m = 0; m < Rows; m++) {
    sums[m] = _mm512_setzero_ps();
    codes[m] = x.codes(first + m);
    scales[m] = x.scales(first + m);
    totals[m] = x.sums(first + m);
  }
  for (size_t group = 0; group < w.groups(); group++, at += kStep) {
    __m512i quads[kQuads];
    if constexpr (Bits == 4) {
      for (size_t j = 0; j < kQuads / 2; j++) {
        const __m512i both = _mm512_loadu_si512(at + 64 * j);
        quads[j] = _mm512_and_si512(both, nibble);
        quads[j + kQuads / 2] = _mm512_and_si512(_mm512_srli_epi16(both, 4), nibble);
      }
    } else {
      for (size_t j = 0; j < kQuads; j++) quads[j] = _mm512_loadu_si512(at + 64 * j);
    }
    // Far enough ahead for what must come from memory.
    _mm_prefetch(reinterpret_cast<const char*>(at + 8 * kStep), _MM_HINT_T0);
    const __m512 scale = LoadScales(at + kCodes, Half);
    for (size_t m = 0; m < Rows; m++) {
      const int8_t* const a = codes[m] + group * kGroup;
      __m512i sum = _mm512_set1_epi32(-kMiddle * totals[m][group]);
      __m512i other = _mm512_setzero_si512();
      for (size_t j = 0; j < kQuads; j += 2) {
        int32_t even, odd;
        std::memcpy(&even, a + 4 * j, 4);
        std::memcpy(&odd, a + 4 * j + 4, 4);
        sum = _mm512_dpbusd_epi32(sum, quads[j], _mm512_set1_epi32(even));
        if constexpr (Rows == 1)
          other = _mm512_dpbusd_epi32(other, quads[j + 1], _mm512_set1_epi32(odd));
        else
          sum = _mm512_dpbusd_epi32(sum, quads[j + 1], _mm512_set1_epi32(odd));
      }
      if constexpr (Rows == 1) sum = _mm512_add_epi32(sum, other);
      sums[m] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), _mm512_mul_ps(scale, _mm512_set1_ps(scales[m][group])), sums[m]);
    }
  }
}

template <int Bits, bool Half, size_t Rows>
void Rowed(const Activations& x, const Panels& w, size_t panel, size_t first, const float* bias, float* out, size_t stride) {
  const size_t row = panel * kPanelRows;
  const size_t left = std::min(kPanelRows, w.rows() - row);
  const __mmask16 mask = static_cast<__mmask16>((1u << left) - 1);
  __m512 sums[Rows];
  Tile<Bits, Half, Rows>(x, w, panel, first, sums);
  const __m512 begin = bias == nullptr ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps(mask, bias + row);
  for (size_t m = 0; m < Rows; m++)
    _mm512_mask_storeu_ps(out + (first + m) * stride + row, mask, _mm512_add_ps(sums[m], begin));
}

template <int Bits, bool Half>
void MultiplyRange(const Activations& x, const Panels& w, const Block& block, const float* bias, float* out, size_t stride) {
  // A tile of activations stays in the cache while all panels pass.
  for (size_t first = block.from_row; first < block.to_row;) {
    const size_t left = block.to_row - first;
    const size_t rows = left >= kTile ? kTile : left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
    for (size_t panel = block.from_panel; panel < block.to_panel; panel++) switch (rows) {
        case kTile:
          Rowed<Bits, Half, kTile>(x, w, panel, first, bias, out, stride);
          break;
        case 8:
          Rowed<Bits, Half, 8>(x, w, panel, first, bias, out, stride);
          break;
        case 4:
          Rowed<Bits, Half, 4>(x, w, panel, first, bias, out, stride);
          break;
        case 2:
          Rowed<Bits, Half, 2>(x, w, panel, first, bias, out, stride);
          break;
        default:
          Rowed<Bits, Half, 1>(x, w, panel, first, bias, out, stride);
      }
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
  const __m512 infinity = _mm512_set1_ps(std::numeric_limits<float>::infinity());
  for (size_t group = 0; group < x.groups(); group++) {
    const size_t from = group * kGroup;
    const size_t count = std::min(kGroup, x.columns() - from);
    const auto mask = static_cast<uint32_t>((uint64_t{1} << count) - 1);
    const __m512 low = _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask), values + from);
    const __m512 high = _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask >> 16), values + from + 16);
    const __m512 low_size = _mm512_abs_ps(low), high_size = _mm512_abs_ps(high);
    if ((_mm512_cmp_ps_mask(low_size, infinity, _CMP_NLT_UQ) | _mm512_cmp_ps_mask(high_size, infinity, _CMP_NLT_UQ)) != 0) {
      RoundToNaN(x, row, group);
      continue;
    }
    const float most = _mm512_reduce_max_ps(_mm512_max_ps(low_size, high_size));
    const __m512 inverse = _mm512_set1_ps(most > kLeast ? 127 / most : 0);
    const __m512i first = _mm512_cvtps_epi32(_mm512_mul_ps(low, inverse));
    const __m512i second = _mm512_cvtps_epi32(_mm512_mul_ps(high, inverse));
    int8_t* const out = x.codes(row) + from;
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm512_cvtsepi32_epi8(first));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 16), _mm512_cvtsepi32_epi8(second));
    x.scales(row)[group] = most / 127;
    x.sums(row)[group] = _mm512_reduce_add_epi32(_mm512_add_epi32(first, second));
  }
}

}  // namespace

const Kernel* Avx512VnniKernel(int bits) {
  static constexpr Kernel kFour{kTile, Round, MultiplyBits<4>};
  static constexpr Kernel kEight{kTile, Round, MultiplyBits<8>};
  return bits == 4 ? &kFour : bits == 8 ? &kEight : nullptr;
}

}  // namespace llm::kernels

#endif

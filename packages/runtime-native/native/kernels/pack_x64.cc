// Compiled for AVX2 with F16C, which every processor with a kernel has.
#include "kernels/processors.h"

#ifdef LLM_X64

#include <immintrin.h>

#include <cstring>

namespace llm::kernels {

namespace {

__m128i Load(const uint8_t* at) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at)); }

// Four rows' quads of columns, so that each quad's lie together: [row][quad] → out[quad][row].
void StoreQuads(__m128i a, __m128i b, __m128i c, __m128i d, uint8_t* out) {
  const __m128i ab_low = _mm_unpacklo_epi32(a, b);
  const __m128i ab_high = _mm_unpackhi_epi32(a, b);
  const __m128i cd_low = _mm_unpacklo_epi32(c, d);
  const __m128i cd_high = _mm_unpackhi_epi32(c, d);
  const __m128i quads[] = {_mm_unpacklo_epi64(ab_low, cd_low), _mm_unpackhi_epi64(ab_low, cd_low),
                           _mm_unpacklo_epi64(ab_high, cd_high), _mm_unpackhi_epi64(ab_high, cd_high)};
  for (size_t quad = 0; quad < 4; quad++)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + quad * 4 * kPanelRows), quads[quad]);
}

// 32 neighbours in pairs, as 16 bytes of a column and the one 16 further.
__m128i Pair(__m128i codes) {
  const __m128i nibble = _mm_set1_epi8(15);
  const __m128i even = _mm_and_si128(codes, nibble);
  const __m128i odd = _mm_and_si128(_mm_srli_epi16(codes, 4), nibble);
  return _mm_or_si128(_mm_unpacklo_epi8(even, odd), _mm_slli_epi16(_mm_unpackhi_epi8(even, odd), 4));
}

void PackCodes(const uint8_t* const (&rows)[kPanelRows], size_t offset, int bits, uint8_t* out) {
  for (size_t r = 0; r < kPanelRows; r += 4) {
    const auto quads = [&](size_t at, auto change) {
      StoreQuads(change(Load(rows[r] + at)), change(Load(rows[r + 1] + at)), change(Load(rows[r + 2] + at)),
                 change(Load(rows[r + 3] + at)), out + 4 * r + (at - offset) * kPanelRows);
    };
    if (bits == 4) {
      quads(offset, Pair);
    } else {
      quads(offset, [](__m128i codes) { return codes; });
      quads(offset + 16, [](__m128i codes) { return codes; });
    }
  }
}

}  // namespace

void PackPanel(const Source& source, size_t panel, bool half, uint8_t* out) {
  const size_t code_bytes = kGroup * static_cast<size_t>(source.bits) / 8;
  const size_t row_bytes = source.groups * code_bytes;
  const uint8_t* rows[kPanelRows];
  const float* scales[kPanelRows];
  for (size_t r = 0; r < kPanelRows; r++) {
    // Past the end, the last row again: what comes of it is never stored.
    const size_t row = std::min(panel * kPanelRows + r, source.rows - 1);
    rows[r] = source.codes + row * row_bytes;
    scales[r] = source.scales + row * source.groups;
  }
  for (size_t group = 0; group < source.groups; group++) {
    PackCodes(rows, group * code_bytes, source.bits, out);
    out += kPanelRows * code_bytes;
    float line[kPanelRows];
    for (size_t r = 0; r < kPanelRows; r++) line[r] = scales[r][group];
    if (half) {
      for (size_t r = 0; r < kPanelRows; r += 8)
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 2 * r),
                         _mm256_cvtps_ph(_mm256_loadu_ps(line + r), _MM_FROUND_TO_NEAREST_INT));
      out += 2 * kPanelRows;
    } else {
      std::memcpy(out, line, sizeof line);
      out += sizeof line;
    }
  }
}

bool AreHalves(const float* values, size_t count) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m256 value = _mm256_loadu_ps(values + i);
    const __m256 back = _mm256_cvtph_ps(_mm256_cvtps_ph(value, _MM_FROUND_TO_NEAREST_INT));
    if (_mm256_movemask_ps(_mm256_cmp_ps(value, back, _CMP_NEQ_UQ)) != 0) return false;
  }
  for (; i < count; i++)
    if (_cvtsh_ss(_cvtss_sh(values[i], _MM_FROUND_TO_NEAREST_INT)) != values[i]) return false;
  return true;
}

}  // namespace llm::kernels

#endif

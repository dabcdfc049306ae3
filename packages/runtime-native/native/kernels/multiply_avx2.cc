// Compiled for AVX2 with FMA and F16C; only called where the processor has all three.
#include "kernels/processors.h"

#ifdef LLM_X64

#include "kernels/multiply_256.inc"

namespace llm::kernels {

namespace {

// In 4 bits, codes have 8 for zero, which `total` takes away; eight sums of two such products fit 16 bits. In 8 bits two barely
// do, so codes become signed, the sign goes to the activation, and what is added up has 32 bits.
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
      const __m256i weight = _mm256_xor_si256(quads[j], _mm256_set1_epi8(-128));
      const __m256i activation = _mm256_sign_epi8(Broadcast(codes + 4 * j), weight);
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(_mm256_abs_epi8(weight), activation), ones));
    }
    return sum;
  }
}

}  // namespace

const Kernel* Avx2Kernel(int bits) { return KernelOf(bits); }

}  // namespace llm::kernels

#endif

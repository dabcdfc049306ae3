// Compiled for AVX2 with FMA, F16C and the multiplications of 8-bit integers that processors without AVX-512 have of VNNI; only
// called where the processor has all four.
#include "kernels/processors.h"

#ifdef LLM_AVX_VNNI

#include "kernels/multiply_256.inc"

namespace llm::kernels {

namespace {

// Two sums, so that one multiplication doesn't wait for the one before.
template <int Bits>
__m256i Products(const __m256i (&quads)[kQuads], const int8_t* codes, int32_t total) {
  __m256i even = _mm256_set1_epi32(-(1 << (Bits - 1)) * total);
  __m256i odd = _mm256_setzero_si256();
  for (size_t j = 0; j < kQuads; j += 2) {
    even = _mm256_dpbusd_epi32(even, quads[j], Broadcast(codes + 4 * j));
    odd = _mm256_dpbusd_epi32(odd, quads[j + 1], Broadcast(codes + 4 * j + 4));
  }
  return _mm256_add_epi32(even, odd);
}

}  // namespace

const Kernel* AvxVnniKernel(int bits) { return KernelOf(bits); }

}  // namespace llm::kernels

#endif

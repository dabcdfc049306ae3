#pragma once

#include <algorithm>

#include "kernels/panels.h"

#if defined(__x86_64__) || defined(_M_X64)
#define LLM_X64
#endif

namespace llm::kernels {

#ifdef LLM_X64
void PackPanel(const Source&, size_t panel, bool half, uint8_t* out);
bool AreHalves(const float* values, size_t count);
#endif

// Each is compiled for its kind of processor, and must only run on one; null for bits that it doesn't know.
#ifdef LLM_X64
const Kernel* Avx512VnniKernel(int bits);
const Kernel* Avx2Kernel(int bits);
#endif
#ifdef LLM_AVX_VNNI  // where the compiler knows it
const Kernel* AvxVnniKernel(int bits);
#endif

}  // namespace llm::kernels

// Compiled for AVX-512 (F, BW, DQ, VL), called only where the processor has it.
#if defined(LLM_CODECS_X64)
#include "level.h"

namespace llm::codecs {
const Kernels kAvx512Kernels = LLM_KERNELS("avx512");
}  // namespace llm::codecs
#endif

// Compiled for AVX2 and F16C, called only where the processor has them.
#if defined(LLM_CODECS_X64)
#include "level.h"

namespace llm::codecs {
const Kernels kAvx2Kernels = LLM_KERNELS("avx2");
}  // namespace llm::codecs
#endif

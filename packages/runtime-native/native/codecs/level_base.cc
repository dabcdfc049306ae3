// What every processor of the architecture has: SSE2 on x86-64, NEON on arm64.
#include "level.h"

namespace llm::codecs {
const Kernels kBaseKernels = LLM_KERNELS("base");
}  // namespace llm::codecs

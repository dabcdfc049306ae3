// The loops themselves. Included once for each level of vector code, with LLM_LEVEL naming it; everything has internal linkage, so
// that no level's code can stand in for another's. No templates of the standard library in here for the same reason.
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__F16C__)
#include <immintrin.h>
#endif

#include "kernels.h"

#if defined(_MSC_VER)
#pragma fp_contract(off)
#endif

namespace llm::codecs {
namespace {

#include "numbers.inc"

#include "convert.inc"

#include "integer.inc"

#include "mx.inc"

#include "gguf_decode.inc"

#include "gguf_encode.inc"

#include "linear.inc"

#include "lanes.inc"

#include "words.inc"

}  // namespace
}  // namespace llm::codecs

#define LLM_KERNELS(name) {name, Convert, Clip, DecodeBlocks, EncodeBlocks, Int8Rows, NBitsRows, MxRows, LinearOutputs, LaneRows, WordRows}

#pragma once

#include <cstddef>
#include <cstdint>

namespace llm::ort {

// The runtime's product by weights in a few bits, MatMulNBits, as models say it.
constexpr const char* kNBits = "MatMulNBits";
constexpr const char* kDomain = "com.microsoft";
enum NBitsInput : size_t { kX, kCodes, kScales, kZeros, kOrder, kBias, kInputs };
// The accuracy level at which activations may be rounded to 8 bits. Ours does just that; the others ask for more.
constexpr uint64_t kEightBitActivations = 4;

// The name under which nodes of it come to ours: as long, so that it can be written over the other in the bytes of a model.
constexpr const char* kPanels = "MatMulPanel";

}  // namespace llm::ort

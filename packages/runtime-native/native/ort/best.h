#pragma once

#include <cstddef>
#include <cstdint>

namespace llm::ort {

// The `k` largest of a row and their ids, best first; of equals the lower id. Where there are fewer, ids are −1 and values −∞.
// `allow` is a mask with a bit for each id, or null.
void Best(const float* row, size_t count, size_t k, const uint32_t* allow, int32_t* ids, float* values);

// log Σ exp over what is allowed.
float LogSumExp(const float* row, size_t count, const uint32_t* allow);

}  // namespace llm::ort

#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "kernels.h"

namespace llm::codecs {

// The levels that this processor can run, best first.
const std::vector<const Kernels*>& Levels();

// The level in use: the best, unless another was chosen.
const Kernels& Current();

// Chooses a level by name; false where this processor hasn't it. For tests and benches.
bool Choose(const std::string& name);

// How many threads share a large piece of work; all cores unless said.
void SetThreads(size_t threads);

// Does `work` on [0, count) in ranges, on several threads where there are at least two `grain`s of it.
void InRanges(size_t count, size_t grain, const std::function<void(size_t, size_t)>& work);

}  // namespace llm::codecs

#include "ort/best.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace llm::ort {

namespace {

// What is compared at once against the worst that is kept: nearly always, all of it is worse.
constexpr size_t kRun = 64;

bool Allowed(const uint32_t* allow, size_t id) { return allow == nullptr || ((allow[id >> 5] >> (id & 31)) & 1) == 1; }

float Largest(const float* values, size_t count) {
  float largest[16];
  std::fill(largest, largest + 16, -std::numeric_limits<float>::infinity());
  size_t i = 0;
  for (; i + 16 <= count; i += 16)
    for (size_t lane = 0; lane < 16; lane++) largest[lane] = values[i + lane] > largest[lane] ? values[i + lane] : largest[lane];
  for (; i < count; i++) largest[0] = std::max(largest[0], values[i]);
  return *std::max_element(largest, largest + 16);
}

}  // namespace

void Best(const float* row, size_t count, size_t k, const uint32_t* allow, int32_t* ids, float* values) {
  const auto better = [row](int32_t a, int32_t b) { return row[a] > row[b] || (row[a] == row[b] && a < b); };
  // A heap whose root is the worst of what is kept.
  std::vector<int32_t> kept;
  kept.reserve(k);
  for (size_t from = 0; from < count && k > 0; from += kRun) {
    const size_t to = std::min(from + kRun, count);
    if (kept.size() == k && !(Largest(row + from, to - from) > row[kept.front()])) continue;
    for (size_t id = from; id < to; id++) {
      const auto candidate = static_cast<int32_t>(id);
      if (std::isnan(row[id]) || !Allowed(allow, id)) continue;
      if (kept.size() == k) {
        if (!better(candidate, kept.front())) continue;
        std::pop_heap(kept.begin(), kept.end(), better);
        kept.pop_back();
      }
      kept.push_back(candidate);
      std::push_heap(kept.begin(), kept.end(), better);
    }
  }
  std::sort_heap(kept.begin(), kept.end(), better);
  for (size_t i = 0; i < k; i++) {
    ids[i] = i < kept.size() ? kept[i] : -1;
    values[i] = i < kept.size() ? row[kept[i]] : -std::numeric_limits<float>::infinity();
  }
}

float LogSumExp(const float* row, size_t count, const uint32_t* allow) {
  float most = -std::numeric_limits<float>::infinity();
  if (allow == nullptr) {
    most = Largest(row, count);
  } else {
    for (size_t id = 0; id < count; id++)
      if (Allowed(allow, id)) most = std::max(most, row[id]);
  }
  double sum = 0;
  for (size_t id = 0; id < count; id++)
    if (Allowed(allow, id)) sum += std::exp(row[id] - most);
  return most + static_cast<float>(std::log(sum));
}

}  // namespace llm::ort

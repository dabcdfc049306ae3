#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>

namespace llm::ort {

// The best of rows of logits, to be found once those are there: where they are read, and where what is found is written.
struct BestCall {
  // [logits, vocab, k, allow | undefined, ids, values, sums | undefined]; throws where an array is too short.
  static BestCall From(const Napi::Array& given);

  // On any thread, as long as the arrays live.
  void Find() const;

  const float* logits;
  size_t rows;
  size_t vocab;
  size_t k;
  const uint32_t* allow;  // or null
  int32_t* ids;
  float* values;
  float* sums;  // or null
};

}  // namespace llm::ort

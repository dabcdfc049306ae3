#include "ort/best_call.h"

#include <stdexcept>

#include "ort/best.h"

namespace llm::ort {

BestCall BestCall::From(const Napi::Array& given) {
  const auto at = [&given](uint32_t index) -> Napi::Value { return given[index]; };
  const auto size = [&at](uint32_t index) { return static_cast<size_t>(at(index).As<Napi::Number>().Int64Value()); };
  auto logits = at(0).As<Napi::Float32Array>();
  auto ids = at(4).As<Napi::Int32Array>();
  auto values = at(5).As<Napi::Float32Array>();
  BestCall call{logits.Data(), 0, size(1), size(2), nullptr, ids.Data(), values.Data(), nullptr};
  call.rows = call.vocab == 0 ? 0 : logits.ElementLength() / call.vocab;
  bool fits = ids.ElementLength() >= call.rows * call.k && values.ElementLength() >= call.rows * call.k;
  if (!at(3).IsUndefined()) {
    auto allow = at(3).As<Napi::Uint32Array>();
    fits = fits && allow.ElementLength() * 32 >= call.vocab;
    call.allow = allow.Data();
  }
  if (!at(6).IsUndefined()) {
    auto sums = at(6).As<Napi::Float32Array>();
    fits = fits && sums.ElementLength() >= call.rows;
    call.sums = sums.Data();
  }
  if (!fits) throw std::runtime_error("an array is too short");
  return call;
}

void BestCall::Find() const {
  for (size_t row = 0; row < rows; row++) {
    const float* const from = logits + row * vocab;
    Best(from, vocab, k, allow, ids + row * k, values + row * k);
    if (sums != nullptr) sums[row] = LogSumExp(from, vocab, allow);
  }
}

}  // namespace llm::ort

#pragma once

#include <cstddef>

#include "ort/api.h"
#include "ort/hand_over.h"

namespace llm::ort {

struct Range {
  size_t from;
  size_t to;
};

inline Range Part(size_t part, size_t parts, size_t of) { return {part * of / parts, (part + 1) * of / parts}; }

// Runs task(part, parts) for all parts, on the threads of the session where there are several.
template <typename Task>
void InParts(const Api& api, KernelContext* context, size_t parts, const Task& task) {
  if (parts <= 1) return task(0, 1);
  // Beginning and end are handed over by addresses of their own: parts run beside each other, and none after another.
  struct Shared {
    const Task& task;
    size_t parts;
    char begin;
    char end;
  } shared{task, parts, 0, 0};
  HandOver(&shared.begin);
  api.Check(api.parallel_for(
      context,
      [](void* data, size_t index) {
        auto& all = *static_cast<Shared*>(data);
        TakeOver(&all.begin);
        all.task(index, all.parts);
        HandOver(&all.end);
      },
      parts, parts, &shared));
  TakeOver(&shared.end);
}

}  // namespace llm::ort

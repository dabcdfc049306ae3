#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "background.h"

namespace llm::kernels {

// Does task(index) for each index below `count`, on this thread and as many others as make `threads`. The first thing that goes
// wrong is thrown here when all have stopped.
template <typename Task>
void InThreads(size_t count, size_t threads, const Task& task) {
  std::atomic<size_t> next{0};
  std::mutex failing;
  std::exception_ptr failure;
  const auto work = [&] {
    try {
      for (size_t index = next++; index < count; index = next++) task(index);
    } catch (...) {
      next = count;
      const std::lock_guard<std::mutex> lock(failing);
      if (failure == nullptr) failure = std::current_exception();
    }
  };
  std::vector<std::thread> others;
  try {
    while (others.size() + 1 < std::min(threads, count))
      others.emplace_back([&work] {
        ComputeInBackground();
        work();
      });
  } catch (const std::system_error&) {
    // No more threads to be had: those that there are do the rest.
  }
  work();
  for (std::thread& other : others) other.join();
  if (failure != nullptr) std::rethrow_exception(failure);
}

}  // namespace llm::kernels

#include "dispatch.h"

#include <algorithm>
#include <system_error>
#include <thread>

#include "../cpu_features.h"

namespace llm::codecs {

namespace {

std::vector<const Kernels*> FindLevels() {
  std::vector<const Kernels*> levels;
#if defined(LLM_CODECS_X64)
  const auto features = CpuFeatures();
  const auto has = [&features](std::initializer_list<const char*> names) {
    return std::all_of(names.begin(), names.end(), [&features](const char* name) {
      return std::find(features.begin(), features.end(), name) != features.end();
    });
  };
  const bool avx2 = has({"avx2", "f16c"});
  if (avx2 && has({"avx512f", "avx512bw", "avx512dq", "avx512vl"})) levels.push_back(&kAvx512Kernels);
  if (avx2) levels.push_back(&kAvx2Kernels);
#endif
  levels.push_back(&kBaseKernels);
  return levels;
}

const Kernels*& Chosen() {
  static const Kernels* chosen = Levels().front();
  return chosen;
}

size_t& Threads() {
  static size_t threads = std::max(1u, std::thread::hardware_concurrency());
  return threads;
}

}  // namespace

const std::vector<const Kernels*>& Levels() {
  static const std::vector<const Kernels*> levels = FindLevels();
  return levels;
}

const Kernels& Current() { return *Chosen(); }

bool Choose(const std::string& name) {
  for (const Kernels* level : Levels())
    if (name == level->name) {
      Chosen() = level;
      return true;
    }
  return false;
}

void SetThreads(size_t threads) { Threads() = std::max<size_t>(1, threads); }

void InRanges(size_t count, size_t grain, const std::function<void(size_t, size_t)>& work) {
  const size_t parts = std::max<size_t>(1, std::min(Threads(), count / std::max<size_t>(1, grain)));
  const auto bound = [count, parts](size_t part) { return count / parts * part + std::min(part, count % parts); };
  std::vector<std::thread> threads;
  size_t next = 1;
  try {
    for (; next < parts; next++) threads.emplace_back(work, bound(next), bound(next + 1));
  } catch (const std::system_error&) {
    // No more threads to be had: this one does the rest.
  }
  work(bound(0), bound(1));
  if (next < parts) work(bound(next), count);
  for (std::thread& thread : threads) thread.join();
}

}  // namespace llm::codecs

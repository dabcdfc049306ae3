#include "kernels/panels.h"

#include <algorithm>
#include <atomic>

#ifdef __linux__
#include <sys/mman.h>
#endif

#include "aligned.h"
#include "cpu_features.h"
#include "kernels/processors.h"
#include "scratch.h"

namespace llm::kernels {

namespace {

constexpr size_t kCacheLine = 64;
constexpr size_t kHugePage = size_t{2} << 20;
// From here on, rounding up to whole huge pages wastes little.
constexpr size_t kLarge = 4 * kHugePage;

uint8_t* Allocate(size_t bytes) {
  const size_t step = bytes < kLarge ? kCacheLine : kHugePage;
  void* const data = AllocateAligned(bytes, step);
#ifdef __linux__
  // Weights are read from end to end in every step: with small pages, looking up addresses costs as much as reading.
  if (step == kHugePage) madvise(data, bytes, MADV_HUGEPAGE);
#endif
  return static_cast<uint8_t*>(data);
}

template <typename T>
T* Take(size_t count) {
  return static_cast<T*>(TakeScratch(count * sizeof(T)));
}

struct Level {
  const char* name;
  std::vector<std::string> needs;
  const Kernel* (*kernel)(int bits);
};

// Those that this processor has what they need for.
const std::vector<Level>& Levels() {
  static const auto& levels = *new std::vector<Level>([] {
    std::vector<Level> all;
#ifdef LLM_X64
    all.push_back({"avx512vnni", {"avx512_vnni", "avx512bw", "avx512dq", "avx512vl"}, Avx512VnniKernel});
#ifdef LLM_AVX_VNNI
    all.push_back({"avxvnni", {"avx2", "fma", "f16c", "avx_vnni"}, AvxVnniKernel});
#endif
    all.push_back({"avx2", {"avx2", "fma", "f16c"}, Avx2Kernel});
#endif
    const auto features = CpuFeatures();
    const auto lacks = [&](const std::string& need) {
      return std::find(features.begin(), features.end(), need) == features.end();
    };
    all.erase(std::remove_if(all.begin(), all.end(),
                             [&](const Level& one) { return std::any_of(one.needs.begin(), one.needs.end(), lacks); }),
              all.end());
    return all;
  }());
  return levels;
}

// How many of the levels are passed over.
std::atomic<size_t>& Chosen() {
  static std::atomic<size_t> chosen{0};
  return chosen;
}

}  // namespace

void Panels::Free::operator()(uint8_t* data) const { FreeAligned(data); }

Panels::Panels(const PanelShape& shape) : shape_(shape), own_(Allocate(shape.bytes())), panels_(own_.get()) {}

void Panels::Fill(const Source& source, size_t from, size_t to) {
  PackPanels(source, shape_.half, from, to, own_.get() + from * shape_.panel_bytes());
}

void PackPanels([[maybe_unused]] const Source& source, [[maybe_unused]] bool half, [[maybe_unused]] size_t from,
                [[maybe_unused]] size_t to, [[maybe_unused]] uint8_t* out) {
#ifdef LLM_X64
  const size_t bytes = PanelShape{source.rows, source.groups, source.bits, half}.panel_bytes();
  for (size_t index = from; index < to; index++, out += bytes) PackPanel(source, index, half, out);
#endif
}

bool FitHalf(const float* values, size_t count) {
#ifdef LLM_X64
  return AreHalves(values, count);
#else
  return values == nullptr && count == 0;
#endif
}

Activations::Activations(size_t rows, size_t columns)
    : rows_(rows), columns_(columns), groups_((columns + kGroup - 1) / kGroup),
      codes_(Take<int8_t>(rows * groups_ * kGroup), GiveScratch), scales_(Take<float>(rows * groups_), GiveScratch),
      sums_(Take<int32_t>(rows * groups_), GiveScratch) {}

std::vector<std::string> KernelNames() {
  std::vector<std::string> names;
  for (const Level& one : Levels()) names.emplace_back(one.name);
  return names;
}

void ChooseKernel(const std::string& name) {
  const auto& levels = Levels();
  const auto found = std::find_if(levels.begin(), levels.end(), [&](const Level& one) { return name == one.name; });
  Chosen() = static_cast<size_t>(found - levels.begin());
}

const Kernel* FindKernel(int bits) {
  const size_t chosen = Chosen();
  return chosen < Levels().size() ? Levels()[chosen].kernel(bits) : nullptr;
}

}  // namespace llm::kernels

#include "kernels/panels.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

#include "cpu_features.h"
#include "kernels/half.h"
#include "kernels/processors.h"

namespace llm::kernels {

namespace {

constexpr size_t kCacheLine = 64;
constexpr size_t kHugePage = size_t{2} << 20;

uint8_t* Allocate(size_t bytes) {
  const size_t step = bytes < kHugePage ? kCacheLine : kHugePage;
  const size_t size = (bytes + step - 1) / step * step;
#ifdef _WIN32
  void* const data = _aligned_malloc(size, step);
#else
  void* const data = std::aligned_alloc(step, size);
#endif
  if (data == nullptr) throw std::bad_alloc();
#ifdef __linux__
  // Weights are read from end to end in every step: with small pages, looking up addresses costs as much as reading.
  if (step == kHugePage) madvise(data, size, MADV_HUGEPAGE);
#endif
  return static_cast<uint8_t*>(data);
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

void Panels::Free::operator()(uint8_t* data) const {
#ifdef _WIN32
  _aligned_free(data);
#else
  std::free(data);
#endif
}

Panels::Panels(const uint8_t* codes, const float* scales, size_t rows, size_t columns, int bits)
    : codes_(codes), scales_(scales), rows_(rows), groups_((columns + kGroup - 1) / kGroup), bits_(bits) {
  half_ = std::all_of(scales, scales + rows * groups_, [](float scale) { return FromHalf(ToHalf(scale)) == scale; });
  data_.reset(Allocate(count() * groups_ * group_bytes()));
}

void Panels::Pack(size_t from, size_t to) {
  const size_t code_bytes = kGroup * static_cast<size_t>(bits_) / 8;
  for (size_t index = from; index < to; index++) {
    uint8_t* out = data_.get() + index * groups_ * group_bytes();
    for (size_t group = 0; group < groups_; group++, out += group_bytes()) {
      for (size_t r = 0; r < kPanelRows; r++) {
        const size_t row = index * kPanelRows + r;
        uint8_t* const end = out + kPanelRows * code_bytes;
        const float scale = row < rows_ ? scales_[row * groups_ + group] : 0;
        if (half_) {
          const uint16_t bits = ToHalf(scale);
          std::memcpy(end + 2 * r, &bits, 2);
        } else {
          std::memcpy(end + 4 * r, &scale, 4);
        }
        if (row >= rows_) {
          for (size_t j = 0; j < code_bytes; j += 4) std::memset(out + j * kPanelRows + 4 * r, 0, 4);
          continue;
        }
        const uint8_t* const in = codes_ + (row * groups_ + group) * code_bytes;
        if (bits_ == 8) {
          for (size_t j = 0; j < code_bytes; j += 4) std::memcpy(out + j * kPanelRows + 4 * r, in + j, 4);
          continue;
        }
        // Two neighbours in a byte become a column and the one 16 further.
        uint64_t low, high;
        std::memcpy(&low, in, 8);
        std::memcpy(&high, in + 8, 8);
        for (size_t j = 0; j < 4; j++) {
          uint32_t word = 0;
          for (size_t i = 0; i < 4; i++) {
            const size_t shift = 4 * (4 * j + i);
            word |= static_cast<uint32_t>(((low >> shift) & 15) | (((high >> shift) & 15) << 4)) << (8 * i);
          }
          std::memcpy(out + j * 4 * kPanelRows + 4 * r, &word, 4);
        }
      }
    }
  }
}

Activations::Activations(size_t rows, size_t columns)
    : rows_(rows), columns_(columns), groups_((columns + kGroup - 1) / kGroup), codes_(new int8_t[rows * groups_ * kGroup]),
      scales_(new float[rows * groups_]), sums_(new int32_t[rows * groups_]) {}

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

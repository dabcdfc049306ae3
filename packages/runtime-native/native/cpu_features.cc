#include "cpu_features.h"

#include <cstdint>

#if defined(__x86_64__) || defined(_M_X64)
#define LLM_X64 1
#if defined(_MSC_VER)
#include <intrin.h>
#else
#include <cpuid.h>
#endif
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#elif defined(__aarch64__) && defined(__APPLE__)
#include <sys/sysctl.h>
#endif

namespace llm {

#if defined(LLM_X64)

namespace {

struct Registers {
  uint32_t a = 0, b = 0, c = 0, d = 0;
};

Registers Cpuid(uint32_t leaf, uint32_t subleaf) {
  Registers r;
#if defined(_MSC_VER)
  int out[4];
  __cpuidex(out, static_cast<int>(leaf), static_cast<int>(subleaf));
  r = {static_cast<uint32_t>(out[0]), static_cast<uint32_t>(out[1]), static_cast<uint32_t>(out[2]),
       static_cast<uint32_t>(out[3])};
#else
  __get_cpuid_count(leaf, subleaf, &r.a, &r.b, &r.c, &r.d);
#endif
  return r;
}

// Which register files the operating system saves: a feature whose registers it doesn't save can't be used.
uint64_t SavedState(const Registers& leaf1) {
  const bool osxsave = leaf1.c >> 27 & 1;
  if (!osxsave) return 0;
#if defined(_MSC_VER)
  return _xgetbv(0);
#else
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return static_cast<uint64_t>(high) << 32 | low;
#endif
}

enum class Needs { kNothing, kAvx, kAvx512, kAmx };

bool Saved(uint64_t state, Needs needs) {
  constexpr uint64_t kYmm = 0x6, kZmm = 0xe6, kTile = 0x60000;
  switch (needs) {
    case Needs::kNothing: return true;
    case Needs::kAvx: return (state & kYmm) == kYmm;
    case Needs::kAvx512: return (state & kZmm) == kZmm;
    case Needs::kAmx: return (state & kTile) == kTile;
  }
  return false;
}

}  // namespace

std::vector<std::string> CpuFeatures() {
  const uint32_t leaves = Cpuid(0, 0).a;
  const Registers one = Cpuid(1, 0);
  const Registers seven = leaves >= 7 ? Cpuid(7, 0) : Registers{};
  const Registers more = leaves >= 7 && seven.a >= 1 ? Cpuid(7, 1) : Registers{};
  const uint64_t state = SavedState(one);

  const struct {
    const char* name;
    uint32_t bits;
    int bit;
    Needs needs;
  } table[] = {
      {"sse4_1", one.c, 19, Needs::kNothing},
      {"avx", one.c, 28, Needs::kAvx},
      {"f16c", one.c, 29, Needs::kAvx},
      {"fma", one.c, 12, Needs::kAvx},
      {"avx2", seven.b, 5, Needs::kAvx},
      {"avx512f", seven.b, 16, Needs::kAvx512},
      {"avx512dq", seven.b, 17, Needs::kAvx512},
      {"avx512bw", seven.b, 30, Needs::kAvx512},
      {"avx512vl", seven.b, 31, Needs::kAvx512},
      {"avx512_vnni", seven.c, 11, Needs::kAvx512},
      {"avx512_fp16", seven.d, 23, Needs::kAvx512},
      {"amx_bf16", seven.d, 22, Needs::kAmx},
      {"amx_tile", seven.d, 24, Needs::kAmx},
      {"amx_int8", seven.d, 25, Needs::kAmx},
      {"avx_vnni", more.a, 4, Needs::kAvx},
      {"avx512_bf16", more.a, 5, Needs::kAvx512},
  };
  std::vector<std::string> found;
  for (const auto& entry : table)
    if ((entry.bits >> entry.bit & 1) && Saved(state, entry.needs)) found.emplace_back(entry.name);
  return found;
}

#elif defined(__aarch64__) && defined(__linux__)

std::vector<std::string> CpuFeatures() {
  const uint64_t first = getauxval(AT_HWCAP), second = getauxval(AT_HWCAP2);
  // Bits of the kernel's arm64 user interface (uapi/asm/hwcap.h); older C libraries don't name them all.
  const struct {
    const char* name;
    uint64_t bits;
    int bit;
  } table[] = {
      {"asimd", first, 1},  {"asimdhp", first, 10}, {"asimddp", first, 20}, {"sve", first, 22},
      {"sve2", second, 1},  {"i8mm", second, 13},   {"bf16", second, 14},
  };
  std::vector<std::string> found;
  for (const auto& entry : table)
    if (entry.bits >> entry.bit & 1) found.emplace_back(entry.name);
  return found;
}

#elif defined(__aarch64__) && defined(__APPLE__)

std::vector<std::string> CpuFeatures() {
  const struct {
    const char* name;
    const char* key;
  } table[] = {
      {"asimdhp", "hw.optional.arm.FEAT_FP16"},
      {"asimddp", "hw.optional.arm.FEAT_DotProd"},
      {"i8mm", "hw.optional.arm.FEAT_I8MM"},
      {"bf16", "hw.optional.arm.FEAT_BF16"},
  };
  std::vector<std::string> found{"asimd"};
  for (const auto& entry : table) {
    int value = 0;
    size_t size = sizeof value;
    if (sysctlbyname(entry.key, &value, &size, nullptr, 0) == 0 && value) found.emplace_back(entry.name);
  }
  return found;
}

#else

std::vector<std::string> CpuFeatures() { return {}; }

#endif

}  // namespace llm

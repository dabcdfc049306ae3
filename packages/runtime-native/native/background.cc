#include "background.h"

#include <thread>

#ifdef __linux__
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#endif

namespace llm {

#ifdef __linux__

namespace {

// As the kernel has it; the C library knows neither the structure nor the call before 2.41.
struct Attributes {
  uint32_t size;
  uint32_t policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime;
  uint64_t deadline;
  uint64_t period;
};

// Doesn't push aside what runs when it wakes.
constexpr uint32_t kBatch = 3;
// A little less than an equal share, so that who rested is next: against other programs it costs a few percent.
constexpr int kNicer = 1;
constexpr int kNicest = 19;
// How long it computes while others wait (Linux 6.12; older ones decide themselves).
constexpr uint64_t kSliceNs = 300'000;

}  // namespace

bool ComputeInBackground() {
  errno = 0;
  const int nice = getpriority(PRIO_PROCESS, 0);
  if (nice == -1 && errno != 0) return false;
  Attributes attributes{};
  attributes.size = sizeof attributes;
  attributes.policy = kBatch;
  attributes.nice = std::min(nice + kNicer, kNicest);
  attributes.runtime = kSliceNs;
  return syscall(SYS_sched_setattr, 0, &attributes, 0) == 0;
}

#else

bool ComputeInBackground() { return false; }

#endif

bool CanComputeInBackground() {
  bool can = false;
  std::thread([&can] { can = ComputeInBackground(); }).join();
  return can;
}

}  // namespace llm

#include "scratch.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>

#ifdef __linux__
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#endif

#include "aligned.h"

namespace llm {

namespace {

constexpr size_t kAlignment = 64;

#ifdef __linux__

// Less than this is malloc's.
constexpr size_t kLarge = size_t{64} << 10;

// Where the system counts addresses as memory whether they are written to or not.
bool PromisesAreKept() {
  int setting = 0;
  std::ifstream("/proc/sys/vm/overcommit_memory") >> setting;
  return setting == 2;
}

// As many addresses as the machine has memory: they cost nothing before they are written to. Where a process may only have so
// many, an eighth of them, so that there are some for everything else.
size_t Addresses(size_t page) {
  if (PromisesAreKept()) return 0;
  const size_t pages = static_cast<size_t>(sysconf(_SC_PHYS_PAGES));
  rlimit limit;
  const bool limited = getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
  return page * (limited ? std::min(pages, static_cast<size_t>(limit.rlim_cur) / 8 / page) : pages);
}

// One piece of the process's addresses, shared out.
class Region {
 public:
  static Region& Only() {
    static auto& region = *new Region;  // outlives whatever still runs when the program ends
    return region;
  }

  // Null where there is no room.
  void* Take(size_t bytes) {
    const size_t size = (bytes + page_ - 1) / page_ * page_;
    const std::lock_guard<std::mutex> lock(mutex_);
    for (auto it = free_.begin(); it != free_.end(); it++) {
      const auto [from, length] = *it;
      if (length < size) continue;
      free_.erase(it);
      if (length > size) free_[from + size] = length - size;
      taken_[from] = size;
      return begin_ + from;
    }
    return nullptr;
  }

  // False for what isn't from here.
  bool Give(void* memory) {
    auto* const data = static_cast<uint8_t*>(memory);
    if (data < begin_ || data >= begin_ + size_) return false;
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto taken = taken_.find(static_cast<size_t>(data - begin_));
    auto [from, length] = *taken;
    taken_.erase(taken);
    auto after = free_.lower_bound(from);
    if (after != free_.end() && after->first == from + length) {
      length += after->second;
      after = free_.erase(after);
    }
    if (after != free_.begin()) {
      const auto before = std::prev(after);
      if (before->first + before->second == from) {
        before->second += length;
        return true;
      }
    }
    free_[from] = length;
    return true;
  }

  void Tidy() {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& [from, length] : free_) madvise(begin_ + from, length, MADV_DONTNEED);
  }

 private:
  Region() : page_(static_cast<size_t>(sysconf(_SC_PAGESIZE))), size_(Addresses(page_)) {
    void* const data = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (data == MAP_FAILED) size_ = 0;
    begin_ = size_ == 0 ? nullptr : static_cast<uint8_t*>(data);
    if (size_ > 0) free_[0] = size_;
  }

  const size_t page_;
  size_t size_;
  uint8_t* begin_;
  std::mutex mutex_;
  // Offsets and lengths; neighbours that are free are one.
  std::map<size_t, size_t> free_;
  std::map<size_t, size_t> taken_;
};

#endif

}  // namespace

void* TakeScratch(size_t bytes) {
#ifdef __linux__
  void* const large = bytes < kLarge ? nullptr : Region::Only().Take(bytes);
  if (large != nullptr) return large;
#endif
  return AllocateAligned(bytes, kAlignment);
}

void GiveScratch(void* memory) {
#ifdef __linux__
  if (Region::Only().Give(memory)) return;
#endif
  FreeAligned(memory);
}

void TidyScratch() {
#ifdef __linux__
  Region::Only().Tidy();
#endif
}

}  // namespace llm

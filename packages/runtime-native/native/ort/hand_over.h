#pragma once

// The runtime's threads hand work to each other in code that the thread sanitizer doesn't see. These tell it: what was written
// before a release is there after the acquire of the same address that follows it.
#ifdef __SANITIZE_THREAD__
extern "C" void __tsan_acquire(void* address);
extern "C" void __tsan_release(void* address);
#endif

namespace llm::ort {

inline void HandOver([[maybe_unused]] void* address) {
#ifdef __SANITIZE_THREAD__
  __tsan_release(address);
#endif
}

inline void TakeOver([[maybe_unused]] void* address) {
#ifdef __SANITIZE_THREAD__
  __tsan_acquire(address);
#endif
}

}  // namespace llm::ort

#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>

#ifdef _WIN32
#include <malloc.h>
#endif

namespace llm {

// `bytes`, rounded up to whole steps of `alignment`; throws std::bad_alloc.
inline void* AllocateAligned(size_t bytes, size_t alignment) {
  const size_t size = (bytes + alignment - 1) / alignment * alignment;
#ifdef _WIN32
  void* const data = _aligned_malloc(size, alignment);
#else
  void* const data = std::aligned_alloc(alignment, size);
#endif
  if (data == nullptr) throw std::bad_alloc();
  return data;
}

inline void FreeAligned(void* data) {
#ifdef _WIN32
  _aligned_free(data);
#else
  std::free(data);
#endif
}

}  // namespace llm

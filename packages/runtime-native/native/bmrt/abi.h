#pragma once

#include <cstddef>
#include <cstdint>

// What the vendor's libraries pass by value or by pointer, declared from their published layouts: nothing of theirs is needed
// to build. On a 32-bit machine the sizes would differ; there are no such hosts.
namespace llm::bmrt {

using Handle = void*;
using Runtime = void;

constexpr int kMaxDims = 8;

struct DeviceMemory {
  uint64_t address;
  uint32_t reserved;
  int32_t dmabuf;
  uint32_t flags;  // what kind of memory, and of which heap
  uint32_t bytes;
};

struct Shape {
  int32_t rank;
  int32_t dims[kMaxDims];
};

struct Tensor {
  int32_t dtype;
  Shape shape;
  DeviceMemory memory;
  int32_t store_mode;
};

struct Stage {
  Shape* input_shapes;
  Shape* output_shapes;
  DeviceMemory* input_memory;
  DeviceMemory* output_memory;
};

struct NetInfo {
  const char* name;
  bool dynamic;
  int32_t input_count;
  const char** input_names;
  int32_t* input_dtypes;
  float* input_scales;
  int32_t output_count;
  const char** output_names;
  int32_t* output_dtypes;
  float* output_scales;
  int32_t stage_count;
  Stage* stages;
  size_t* max_input_bytes;
  size_t* max_output_bytes;
  int32_t* input_zero_points;
  int32_t* output_zero_points;
  int32_t* input_devices;
  int32_t* output_devices;
  // Libraries of 2023 end here: the two below are read only where `Library::newer` says so.
  int32_t core_count;
  int32_t address_mode;
};

static_assert(sizeof(void*) == 8, "the vendor's libraries exist for 64-bit hosts only");
static_assert(sizeof(DeviceMemory) == 24 && sizeof(Shape) == 36 && sizeof(Tensor) == 72 && sizeof(Stage) == 32);
static_assert(offsetof(Tensor, shape) == 4 && offsetof(Tensor, memory) == 40 && offsetof(Tensor, store_mode) == 64);
static_assert(offsetof(NetInfo, stages) == 80 && offsetof(NetInfo, input_devices) == 120);
static_assert(offsetof(NetInfo, core_count) == 136 && sizeof(NetInfo) == 144);

}  // namespace llm::bmrt

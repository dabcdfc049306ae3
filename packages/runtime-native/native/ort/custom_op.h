#pragma once

#include "ort/api.h"

namespace llm::ort {

// An operator of ours as ONNX Runtime wants it described: its layout is the runtime's, as of version 16.
struct CustomOp {
  uint32_t version;
  void* (*create_plain)(const CustomOp*, const void* api, const KernelInfo*);
  const char* (*name)(const CustomOp*);
  const char* (*provider)(const CustomOp*);
  int (*input_type)(const CustomOp*, size_t);
  size_t (*input_count)(const CustomOp*);
  int (*output_type)(const CustomOp*, size_t);
  size_t (*output_count)(const CustomOp*);
  void (*compute_plain)(void* kernel, KernelContext*);
  void (*destroy)(void* kernel);
  int (*input_presence)(const CustomOp*, size_t);
  int (*output_presence)(const CustomOp*, size_t);
  int (*input_memory)(const CustomOp*, size_t);
  int (*least_inputs)(const CustomOp*);
  int (*inputs_alike)(const CustomOp*);
  int (*least_outputs)(const CustomOp*);
  int (*outputs_alike)(const CustomOp*);
  Status* (*create)(const CustomOp*, const void* api, const KernelInfo*, void** kernel);
  Status* (*compute)(void* kernel, KernelContext*);
};

constexpr uint32_t kCustomOpVersion = 16;
constexpr int kRequired = 0;
constexpr int kOptional = 1;
constexpr int kAnyType = 0;
constexpr int kFloat = 1;

}  // namespace llm::ort

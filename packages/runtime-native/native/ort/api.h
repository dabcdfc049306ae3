#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace llm::ort {

// What ONNX Runtime hands out and takes back; only it knows what is in them.
struct Status;
struct Env;
struct NativeSession;
struct SessionOptions;
struct RunOptions;
struct Value;
struct TypeInfo;
struct TensorInfo;
struct MemoryInfo;
struct Allocator;
struct KernelInfo;
struct KernelContext;
struct OpDomain;
struct ThreadHandle;
struct CustomOp;

// An allocator as ONNX Runtime wants it described, as of version 16.
struct NativeAllocator {
  uint32_t version;
  void* (*take)(NativeAllocator*, size_t bytes);
  void (*give)(NativeAllocator*, void* memory);
  const MemoryInfo* (*info)(const NativeAllocator*);
};

#ifdef _WIN32
using PathChar = wchar_t;
#else
using PathChar = char;
#endif

// What a library exports by name: everything else is in the table that `table` gives.
struct ApiBase {
  const void* const* (*table)(uint32_t version);
  const char* (*version)();
};

// The oldest table that has all of the functions below. Newer libraries still give it: tables only ever grow at the end, and a
// function keeps its place.
constexpr uint32_t kTableVersion = 17;

// The functions that are used here, each with its place in the table.
struct Api {
  explicit Api(const void* const* table);

  const char* (*error_message)(const Status*);
  Status* (*create_status)(int code, const char* message);
  Status* (*create_env)(int severity, const char* id, Env**);
  Status* (*create_session)(const Env*, const PathChar* path, const SessionOptions*, NativeSession**);
  Status* (*create_session_from_memory)(const Env*, const void* model, size_t bytes, const SessionOptions*, NativeSession**);
  Status* (*run)(NativeSession*, const RunOptions*, const char* const* input_names, const Value* const* inputs, size_t,
                 const char* const* output_names, size_t, Value** outputs);
  Status* (*create_session_options)(SessionOptions**);
  Status* (*disable_pattern)(SessionOptions*);
  Status* (*enable_arena)(SessionOptions*);
  Status* (*disable_arena)(SessionOptions*);
  Status* (*set_log_severity)(SessionOptions*, int);
  Status* (*set_optimization_level)(SessionOptions*, int);
  Status* (*set_threads)(SessionOptions*, int);
  Status* (*set_create_thread)(SessionOptions*, ThreadHandle* (*)(void* options, void (*work)(void*), void* data));
  Status* (*set_join_thread)(SessionOptions*, void (*)(const ThreadHandle*));
  Status* (*add_config)(SessionOptions*, const char* key, const char* value);
  Status* (*input_count)(const NativeSession*, size_t*);
  Status* (*output_count)(const NativeSession*, size_t*);
  Status* (*input_type)(const NativeSession*, size_t, TypeInfo**);
  Status* (*output_type)(const NativeSession*, size_t, TypeInfo**);
  Status* (*input_name)(const NativeSession*, size_t, Allocator*, char**);
  Status* (*output_name)(const NativeSession*, size_t, Allocator*, char**);
  Status* (*create_tensor)(const MemoryInfo*, void* data, size_t bytes, const int64_t* shape, size_t rank, int type, Value**);
  Status* (*tensor_data)(Value*, void**);
  Status* (*tensor_of_type)(const TypeInfo*, const TensorInfo**);
  Status* (*element_type)(const TensorInfo*, int*);
  Status* (*rank)(const TensorInfo*, size_t*);
  Status* (*dimensions)(const TensorInfo*, int64_t*, size_t);
  Status* (*symbols)(const TensorInfo*, const char**, size_t);
  Status* (*tensor_of_value)(const Value*, TensorInfo**);
  Status* (*cpu_memory)(int allocator, int kind, MemoryInfo**);
  Status* (*free)(Allocator*, void*);
  Status* (*default_allocator)(Allocator**);
  Status* (*register_allocator)(Env*, NativeAllocator*);
  Status* (*create_op_domain)(const char* name, OpDomain**);
  Status* (*add_op)(OpDomain*, const CustomOp*);
  Status* (*add_op_domain)(SessionOptions*, OpDomain*);
  Status* (*attribute)(const KernelInfo*, const char* name, int64_t*);
  Status* (*kernel_input_name)(const KernelInfo*, size_t index, char* name, size_t* size);
  Status* (*constant_input)(const KernelInfo*, size_t, int* constant, const Value**);
  Status* (*kernel_inputs)(const KernelContext*, size_t*);
  Status* (*kernel_input)(const KernelContext*, size_t, const Value**);
  Status* (*kernel_output)(KernelContext*, size_t, const int64_t* shape, size_t rank, Value**);
  Status* (*parallel_for)(const KernelContext*, void (*task)(void* data, size_t index), size_t tasks, size_t batches, void* data);
  void (*release_status)(Status*);
  void (*release_session)(NativeSession*);
  void (*release_value)(Value*);
  void (*release_type)(TypeInfo*);
  void (*release_tensor)(TensorInfo*);
  void (*release_options)(SessionOptions*);
  void (*release_op_domain)(OpDomain*);

  // Throws what a call answered, if that was an error.
  void Check(Status* status) const;
};

// What ONNX Runtime refuses or fails at, in its words.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace llm::ort

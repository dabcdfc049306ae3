#pragma once

#include <filesystem>
#include <string>

#include "ort/api.h"

namespace llm::ort {

// A loaded ONNX Runtime. One for each file in a process, shared by all threads, and never unloaded: threads of its own may
// still run when the program ends.
class Library {
 public:
  // Throws std::runtime_error when the file is no ONNX Runtime, or too old.
  static const Library& Load(const std::filesystem::path& file);

  const Api& api() const { return api_; }
  const std::string& version() const { return version_; }
  const Env* env() const { return env_; }
  const MemoryInfo* memory() const { return memory_; }
  Allocator* allocator() const { return allocator_; }

 private:
  Library(const void* const* table, std::string version);

  Api api_;
  std::string version_;
  Env* env_ = nullptr;
  MemoryInfo* memory_ = nullptr;
  Allocator* allocator_ = nullptr;
};

}  // namespace llm::ort

#include "ort/library.h"

#include <map>
#include <memory>
#include <mutex>
#include <utility>

#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#endif

namespace llm::ort {

namespace {

// Fatal only: errors come as exceptions, and nothing is written to the terminal behind the program's back.
constexpr int kSilent = 4;
constexpr int kDeviceAllocator = 0;
constexpr int kDefaultMemory = 0;

using BaseOf = const ApiBase* (*)();

BaseOf Open(const std::filesystem::path& file) {
#ifdef _WIN32
  const HMODULE library = LoadLibraryExW(file.c_str(), nullptr, LOAD_WITH_ALTERED_SEARCH_PATH);
  if (library == nullptr) throw std::runtime_error("can't be loaded (error " + std::to_string(GetLastError()) + ")");
  void* const found = reinterpret_cast<void*>(GetProcAddress(library, "OrtGetApiBase"));
#else
  void* const library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw std::runtime_error(dlerror());
  void* const found = dlsym(library, "OrtGetApiBase");
#endif
  if (found == nullptr) throw std::runtime_error("is no ONNX Runtime: it has no OrtGetApiBase");
  return reinterpret_cast<BaseOf>(found);
}

}  // namespace

const Library& Library::Load(const std::filesystem::path& file) {
  static std::mutex mutex;
  // Never destroyed, like what it holds.
  static auto& loaded = *new std::map<std::filesystem::path, std::unique_ptr<const Library>>;
  const std::lock_guard<std::mutex> lock(mutex);
  auto& library = loaded[file];
  if (library == nullptr) {
    const ApiBase* const base = Open(file)();
    const std::string version = base->version();
    const void* const* const table = base->table(kTableVersion);
    if (table == nullptr) throw std::runtime_error("is ONNX Runtime " + version + ", which is too old");
    library.reset(new Library(table, version));
  }
  return *library;
}

Library::Library(const void* const* table, std::string version) : api_(table), version_(std::move(version)) {
  api_.Check(api_.create_env(kSilent, "llm", &env_));
  api_.Check(api_.cpu_memory(kDeviceAllocator, kDefaultMemory, &memory_));
  api_.Check(api_.default_allocator(&allocator_));
}

}  // namespace llm::ort

#include "ort/library.h"

#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <utility>

#include "scratch.h"

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
constexpr uint32_t kAllocatorVersion = 16;

using BaseOf = const ApiBase* (*)();

// Of every session of a library; never destroyed, like that.
struct ScratchAllocator : NativeAllocator {
  const MemoryInfo* memory;
};

NativeAllocator* MakeScratchAllocator(const MemoryInfo* memory) {
  auto* const made = new ScratchAllocator{};
  made->version = kAllocatorVersion;
  made->take = [](NativeAllocator*, size_t bytes) -> void* {
    try {
      return bytes == 0 ? nullptr : TakeScratch(bytes);
    } catch (const std::bad_alloc&) {
      return nullptr;  // the runtime says so
    }
  };
  made->give = [](NativeAllocator*, void* data) {
    if (data != nullptr) GiveScratch(data);
  };
  made->info = [](const NativeAllocator* self) { return static_cast<const ScratchAllocator*>(self)->memory; };
  made->memory = memory;
  return made;
}

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
  // The environment is one for all who use the library: it refuses a second allocator, and then has another's or its own.
  Status* const refused = api_.register_allocator(env_, MakeScratchAllocator(memory_));
  if (refused != nullptr) api_.release_status(refused);
}

}  // namespace llm::ort

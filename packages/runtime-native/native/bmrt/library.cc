#include "bmrt/library.h"

#include <memory>
#include <mutex>
#include <utility>

#ifndef _WIN32
#include <dlfcn.h>
#endif

namespace llm::bmrt {

namespace {

#ifdef _WIN32
void* Open(const std::string&) { throw std::runtime_error("the vendor's libraries are for Linux"); }
void* Find(void*, const char*) { return nullptr; }
#else
// Global, because the second library expects the first one's functions to be there.
void* Open(const std::string& file) {
  void* const library = dlopen(file.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (library == nullptr) throw std::runtime_error(dlerror());
  return library;
}
void* Find(void* library, const char* name) { return dlsym(library, name); }
#endif

template <typename Function>
void Bind(void* library, const std::string& file, const char* name, Function& function) {
  void* const found = Find(library, name);
  if (found == nullptr) throw std::runtime_error(file + " has no " + name + ": it is another library, or too old");
  function = reinterpret_cast<Function>(found);
}

const char* Meaning(int status) {
  constexpr const char* kMeanings[] = {"done",        "device not ready", "general failure", "timeout",
                                       "bad parameter", "out of device memory", "data error",  "device busy",
                                       "no such feature", "not supported"};
  return status >= 0 && status < 10 ? kMeanings[status] : "unknown status";
}

std::unique_ptr<Library> LoadPair(const std::string& bmlib, const std::string& bmrt) {
  void* const lib = Open(bmlib);
  void* const rt = Open(bmrt);
  auto made = std::make_unique<Library>();
  Bind(lib, bmlib, "bm_dev_getcount", made->device_count);
  Bind(lib, bmlib, "bm_dev_request", made->request);
  Bind(lib, bmlib, "bm_dev_free", made->release);
  Bind(lib, bmlib, "bm_thread_sync", made->sync);
  Bind(lib, bmlib, "bm_memcpy_s2d_partial_offset", made->write);
  Bind(lib, bmlib, "bm_memcpy_d2s_partial_offset", made->read);
  Bind(lib, bmlib, "bm_memcpy_d2d_byte", made->copy);
  Bind(lib, bmlib, "bm_malloc_device_byte", made->allocate);
  Bind(lib, bmlib, "bm_free_device", made->free);
  Bind(rt, bmrt, "bmrt_create", made->create);
  Bind(rt, bmrt, "bmrt_destroy", made->destroy);
  Bind(rt, bmrt, "bmrt_load_bmodel", made->load);
  Bind(rt, bmrt, "bmrt_get_network_number", made->net_count);
  Bind(rt, bmrt, "bmrt_get_network_names", made->net_names);
  Bind(rt, bmrt, "bmrt_get_network_info", made->net_info);
  Bind(rt, bmrt, "bmrt_launch_tensor_ex", made->launch);
  Bind(rt, bmrt, "bmrt_tensor_bytesize", made->tensor_bytes);
  made->set_flags = reinterpret_cast<void (*)(Runtime*, uint32_t)>(Find(rt, "bmrt_set_flags"));
  // The function came with the longer NetInfo.
  made->newer = Find(rt, "bmrt_launch_tensor_multi_cores") != nullptr;

  // A layout of tensors other than ours would show in what the library makes of one.
  constexpr int kInt32 = 6;
  const Tensor probe{kInt32, {3, {2, 3, 5}}, {}, 0};
  if (made->tensor_bytes(&probe) != 2 * 3 * 5 * 4)
    throw std::runtime_error(bmrt + " lays out tensors in another way: its version is not supported");
  return made;
}

}  // namespace

const Library& Library::Load(const std::string& bmlib, const std::string& bmrt) {
  static std::mutex mutex;
  static auto& loaded = *new std::unique_ptr<Library>;  // never destroyed, like what it stands for
  static auto& files = *new std::pair<std::string, std::string>;
  const std::lock_guard<std::mutex> lock(mutex);
  if (loaded == nullptr) {
    loaded = LoadPair(bmlib, bmrt);
    files = {bmlib, bmrt};
  } else if (files != std::make_pair(bmlib, bmrt)) {
    throw std::runtime_error("this process uses " + files.second + " already; another takes another process");
  }
  return *loaded;
}

void Library::Check(const char* call, int status, const std::string& where) const {
  if (status != 0)
    throw VendorError(call, status,
                      where + call + " failed: " + Meaning(status) + " (" + std::to_string(status) + ")");
}

}  // namespace llm::bmrt

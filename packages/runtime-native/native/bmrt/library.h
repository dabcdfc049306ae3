#pragma once

#include <stdexcept>
#include <string>

#include "bmrt/abi.h"

namespace llm::bmrt {

// What a function of the vendor's answered other than "done".
class VendorError : public std::runtime_error {
 public:
  VendorError(const char* call, int status, const std::string& what)
      : std::runtime_error(what), call_(call), status_(status) {}
  const char* call() const { return call_; }
  int status() const { return status_; }

 private:
  const char* call_;
  int status_;
};

// The vendor's two libraries, loaded by the files' names and never unloaded: threads of theirs may still run when the
// program ends. A process uses one pair of them.
struct Library {
  // Throws std::runtime_error when a file is no such library, or another pair is loaded already.
  static const Library& Load(const std::string& bmlib, const std::string& bmrt);

  // `where` begins what is said of a failure.
  void Check(const char* call, int status, const std::string& where = "") const;

  bool newer = false;  // of 2024 or later: NetInfo is longer

  int (*device_count)(int*);
  int (*request)(Handle*, int);
  void (*release)(Handle);
  int (*sync)(Handle);
  int (*write)(Handle, DeviceMemory, void*, unsigned bytes, unsigned offset);
  int (*read)(Handle, void*, DeviceMemory, unsigned bytes, unsigned offset);
  int (*copy)(Handle, DeviceMemory to, size_t to_offset, DeviceMemory from, size_t from_offset, size_t bytes);
  int (*allocate)(Handle, DeviceMemory*, unsigned bytes);
  void (*free)(Handle, DeviceMemory);

  Runtime* (*create)(Handle);
  void (*destroy)(Runtime*);
  void (*set_flags)(Runtime*, uint32_t);  // null in the oldest
  bool (*load)(Runtime*, const char* file);
  int (*net_count)(Runtime*);
  void (*net_names)(Runtime*, const char***);
  const NetInfo* (*net_info)(Runtime*, const char*);
  bool (*launch)(Runtime*, const char*, const Tensor*, int, Tensor*, int, bool given_memory, bool given_store_mode);
  size_t (*tensor_bytes)(const Tensor*);
};

}  // namespace llm::bmrt

#pragma once

#include <string>
#include <vector>

#include "bmrt/library.h"

namespace llm::bmrt {

// Memory on one device. What a net was compiled to use belongs to the runtime, the rest to whoever asked for it.
struct Buffer {
  DeviceMemory memory;
  bool owned;
};

struct Port {
  std::string name;
  int32_t dtype;
  int32_t device;
};

struct StagePort {
  Shape shape;
  size_t bytes;
  int buffer;  // the memory it was compiled for, or -1
};

struct StageInfo {
  std::vector<StagePort> inputs;
  std::vector<StagePort> outputs;
};

struct Net {
  std::string name;
  bool dynamic;
  int32_t address_mode;  // -1 where the library doesn't say
  std::vector<Port> inputs;
  std::vector<Port> outputs;
  std::vector<StageInfo> stages;
};

struct Place {
  int buffer;
  size_t offset;
};

// One chip: its handle, its runtime with the models that were loaded, and its memory. Calls come one at a time.
class Device {
 public:
  // Throws where there is no such chip, before the vendor's code, which would end the process, is asked for it.
  Device(const Library& library, int number);
  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  // Adds a file's nets to those that are there; gives the new ones.
  std::vector<Net> Load(const std::string& file);
  int Allocate(size_t bytes);
  void Free(int buffer);

  void Write(Place to, const void* data, size_t bytes);
  std::vector<uint8_t> Read(Place from, size_t bytes);
  void Copy(Place to, Place from, size_t bytes);
  void Launch(int net, int stage, const std::vector<Place>& inputs, const std::vector<Place>& outputs);
  void Sync();

  const Library& library() const { return library_; }

 private:
  Net Describe(const NetInfo& info);
  std::vector<StagePort> Ports(const Shape* shapes, const DeviceMemory* memory, const int32_t* dtypes, int32_t count);
  std::vector<Tensor> Tensors(const std::vector<Port>& ports, const std::vector<StagePort>& shapes,
                              const std::vector<Place>& places) const;
  const DeviceMemory& At(Place place, size_t bytes) const;
  void Check(const char* call, int status) const;

  const Library& library_;
  const std::string where_;  // which of several devices it was that failed
  Handle handle_ = nullptr;
  Runtime* runtime_ = nullptr;
  std::vector<Buffer> buffers_;
  std::vector<Net> nets_;
  bool running_ = false;  // something was launched and not waited for
};

}  // namespace llm::bmrt

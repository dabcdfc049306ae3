#include "bmrt/device.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <utility>

namespace llm::bmrt {

namespace {

// Nets keep what they compute with in memory that they share: they run one after the other.
constexpr uint32_t kShareMemory = 1;
// Far more than any model has; beyond these the library speaks another dialect.
constexpr int kMostNets = 1 << 16;
constexpr int kMostPorts = 1 << 10;
constexpr int kMostStages = 1 << 12;

void Sane(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(std::string("the runtime describes ") + what + ": its version is not supported");
}

}  // namespace

Device::Device(const Library& library, int number)
    : library_(library), where_("device " + std::to_string(number) + ": ") {
  int count = 0;
  library.Check("bm_dev_getcount", library.device_count(&count));
  if (number < 0 || number >= count)
    throw std::runtime_error("there is no device " + std::to_string(number) + ": " +
                             (count == 0   ? std::string("none was found")
                              : count == 1 ? std::string("only device 0 is there")
                                           : "devices 0 to " + std::to_string(count - 1) + " are there"));
  Check("bm_dev_request", library.request(&handle_, number));
  runtime_ = library.create(handle_);
  if (runtime_ == nullptr) {
    library.release(handle_);
    throw std::runtime_error("bmrt_create failed on device " + std::to_string(number));
  }
  if (library.set_flags != nullptr) library.set_flags(runtime_, kShareMemory);
}

// In this order: memory that is still held when a handle goes ends the process. Nothing is waited for: a thread that
// launched nothing must not ask, and `Run` leaves nothing running.
Device::~Device() {
  for (const Buffer& buffer : buffers_)
    if (buffer.owned) library_.free(handle_, buffer.memory);
  library_.destroy(runtime_);
  library_.release(handle_);
}

std::vector<Net> Device::Load(const std::string& file) {
  if (!library_.load(runtime_, file.c_str())) throw VendorError("bmrt_load_bmodel", 0, "the runtime refuses this bmodel");
  const int count = library_.net_count(runtime_);
  Sane(count >= 0 && count < kMostNets, "an impossible number of nets");
  const char** raw = nullptr;
  library_.net_names(runtime_, &raw);
  const std::vector<std::string> names(raw, raw + count);
  std::free(raw);  // the list is the caller's, its strings are not
  const size_t before = nets_.size();
  for (const std::string& name : names) {
    const bool known = std::any_of(nets_.begin(), nets_.end(), [&](const Net& net) { return net.name == name; });
    if (known) continue;
    const NetInfo* const info = library_.net_info(runtime_, name.c_str());
    Sane(info != nullptr, "a net that it doesn't have");
    nets_.push_back(Describe(*info));
  }
  return {nets_.begin() + static_cast<std::ptrdiff_t>(before), nets_.end()};
}

Net Device::Describe(const NetInfo& info) {
  Sane(info.input_count > 0 && info.input_count < kMostPorts, "a net with an impossible number of inputs");
  Sane(info.output_count > 0 && info.output_count < kMostPorts, "a net with an impossible number of outputs");
  Sane(info.stage_count > 0 && info.stage_count < kMostStages, "a net with an impossible number of stages");
  Net net{info.name, info.dynamic, library_.newer ? info.address_mode : -1, {}, {}, {}};
  for (int32_t i = 0; i < info.input_count; i++)
    net.inputs.push_back({info.input_names[i], info.input_dtypes[i],
                          info.input_devices != nullptr ? info.input_devices[i] : 0});
  for (int32_t i = 0; i < info.output_count; i++)
    net.outputs.push_back({info.output_names[i], info.output_dtypes[i],
                           info.output_devices != nullptr ? info.output_devices[i] : 0});
  for (int32_t s = 0; s < info.stage_count; s++) {
    const Stage& stage = info.stages[s];
    net.stages.push_back({Ports(stage.input_shapes, stage.input_memory, info.input_dtypes, info.input_count),
                          Ports(stage.output_shapes, stage.output_memory, info.output_dtypes, info.output_count)});
  }
  return net;
}

std::vector<StagePort> Device::Ports(const Shape* shapes, const DeviceMemory* memory, const int32_t* dtypes,
                                     int32_t count) {
  std::vector<StagePort> ports;
  for (int32_t i = 0; i < count; i++) {
    Sane(shapes[i].rank >= 0 && shapes[i].rank <= kMaxDims, "a tensor of an impossible rank");
    const Tensor tensor{dtypes[i], shapes[i], {}, 0};
    StagePort port{shapes[i], library_.tensor_bytes(&tensor), -1};
    if (memory != nullptr && memory[i].bytes >= port.bytes && memory[i].address != 0) {
      port.buffer = static_cast<int>(buffers_.size());
      buffers_.push_back({memory[i], false});
    }
    ports.push_back(port);
  }
  return ports;
}

void Device::Check(const char* call, int status) const { library_.Check(call, status, where_); }

int Device::Allocate(size_t bytes) {
  if (bytes == 0 || bytes > std::numeric_limits<unsigned>::max())
    throw std::runtime_error("a buffer of " + std::to_string(bytes) + " bytes: the device takes up to 4 GiB at once");
  Buffer buffer{{}, true};
  Check("bm_malloc_device_byte", library_.allocate(handle_, &buffer.memory, static_cast<unsigned>(bytes)));
  buffers_.push_back(buffer);
  return static_cast<int>(buffers_.size()) - 1;
}

void Device::Free(int number) {
  At({number, 0}, 0);
  Buffer& buffer = buffers_[static_cast<size_t>(number)];
  if (!buffer.owned) return;
  library_.free(handle_, buffer.memory);
  buffer = {{}, false};
}

const DeviceMemory& Device::At(Place place, size_t bytes) const {
  const size_t number = static_cast<size_t>(place.buffer);
  if (place.buffer < 0 || number >= buffers_.size() || buffers_[number].memory.bytes == 0)
    throw std::runtime_error("there is no buffer " + std::to_string(place.buffer));
  const DeviceMemory& memory = buffers_[number].memory;
  if (place.offset > memory.bytes || bytes > memory.bytes - place.offset)
    throw std::runtime_error(std::to_string(bytes) + " bytes at " + std::to_string(place.offset) + " of a buffer of " +
                             std::to_string(memory.bytes));
  return memory;
}

void Device::Write(Place to, const void* data, size_t bytes) {
  const DeviceMemory& memory = At(to, bytes);
  Sync();  // what was launched before may still read it
  Check("bm_memcpy_s2d_partial_offset",
                 library_.write(handle_, memory, const_cast<void*>(data), static_cast<unsigned>(bytes),
                                static_cast<unsigned>(to.offset)));
}

std::vector<uint8_t> Device::Read(Place from, size_t bytes) {
  const DeviceMemory& memory = At(from, bytes);  // before there is room made for bytes that aren't there
  Sync();
  std::vector<uint8_t> data(bytes);
  Check("bm_memcpy_d2s_partial_offset", library_.read(handle_, data.data(), memory, static_cast<unsigned>(bytes),
                                                               static_cast<unsigned>(from.offset)));
  return data;
}

// The device does this itself, in its turn after what was launched.
void Device::Copy(Place to, Place from, size_t bytes) {
  Check("bm_memcpy_d2d_byte",
                 library_.copy(handle_, At(to, bytes), to.offset, At(from, bytes), from.offset, bytes));
}

std::vector<Tensor> Device::Tensors(const std::vector<Port>& ports, const std::vector<StagePort>& shapes,
                                    const std::vector<Place>& places) const {
  if (places.size() != ports.size()) throw std::runtime_error("the net has another number of inputs or outputs");
  std::vector<Tensor> tensors;
  for (size_t i = 0; i < ports.size(); i++) {
    DeviceMemory memory = At(places[i], shapes[i].bytes);
    memory.address += places[i].offset;
    memory.bytes = static_cast<uint32_t>(shapes[i].bytes);
    tensors.push_back({ports[i].dtype, shapes[i].shape, memory, 0});
  }
  return tensors;
}

void Device::Launch(int number, int stage, const std::vector<Place>& inputs, const std::vector<Place>& outputs) {
  if (number < 0 || static_cast<size_t>(number) >= nets_.size()) throw std::runtime_error("there is no such net");
  const Net& net = nets_[static_cast<size_t>(number)];
  if (stage < 0 || static_cast<size_t>(stage) >= net.stages.size())
    throw std::runtime_error(net.name + " has no stage " + std::to_string(stage));
  const StageInfo& shapes = net.stages[static_cast<size_t>(stage)];
  const std::vector<Tensor> in = Tensors(net.inputs, shapes.inputs, inputs);
  std::vector<Tensor> out = Tensors(net.outputs, shapes.outputs, outputs);
  running_ = true;
  if (!library_.launch(runtime_, net.name.c_str(), in.data(), static_cast<int>(in.size()), out.data(),
                       static_cast<int>(out.size()), true, false))
    throw VendorError("bmrt_launch_tensor_ex", 0, where_ + "the launch of " + net.name + " failed");
}

void Device::Sync() {
  if (!running_) return;
  running_ = false;
  Check("bm_thread_sync", library_.sync(handle_));
}

}  // namespace llm::bmrt

#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "bmrt/device.h"
#include "codecs/kernels.h"

namespace llm::bmrt {

struct DevicePlace {
  int device;
  Place place;
};

// One thing to do. Which fields count follows from `kind`.
struct Command {
  enum class Kind { kWrite, kRead, kCopy, kLaunch, kSum };
  Kind kind;
  int device = 0;
  int from_device = 0;
  Place to{-1, 0};
  Place from{-1, 0};
  size_t bytes = 0;
  std::vector<uint8_t> data;  // to be written
  int net = 0;
  int stage = 0;
  std::vector<Place> inputs;
  std::vector<Place> outputs;
  codecs::Kind numbers = codecs::kF32;  // that are added up
  std::vector<DevicePlace> terms;
  std::vector<DevicePlace> targets;
};

using Devices = std::vector<std::unique_ptr<Device>>;

// Does the commands in order and gives what was read. Stops at the first that fails.
std::vector<std::vector<uint8_t>> Run(const Devices& devices, const std::vector<Command>& commands);

}  // namespace llm::bmrt

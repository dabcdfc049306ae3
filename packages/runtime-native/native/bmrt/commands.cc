#include "bmrt/commands.h"

namespace llm::bmrt {

namespace {

Device& At(const Devices& devices, int number) {
  if (number < 0 || static_cast<size_t>(number) >= devices.size())
    throw std::runtime_error("device " + std::to_string(number) + " was not opened");
  return *devices[static_cast<size_t>(number)];
}

// Chips don't see one another's memory on every board: what goes between them goes through the host.
void Move(Device& from, Device& to, const Command& command) {
  std::vector<uint8_t> between(command.bytes);
  from.Read(command.from, between.data(), between.size());
  to.Write(command.to, between.data(), between.size());
}

}  // namespace

std::vector<std::vector<uint8_t>> Run(const Devices& devices, const std::vector<Command>& commands) {
  std::vector<std::vector<uint8_t>> results;
  for (const Command& command : commands) {
    Device& device = At(devices, command.device);
    switch (command.kind) {
      case Command::Kind::kWrite:
        device.Write(command.to, command.data.data(), command.data.size());
        break;
      case Command::Kind::kRead:
        results.emplace_back(command.bytes);
        device.Read(command.from, results.back().data(), command.bytes);
        break;
      case Command::Kind::kCopy:
        if (command.device == command.from_device)
          device.Copy(command.to, command.from, command.bytes);
        else
          Move(At(devices, command.from_device), device, command);
        break;
      case Command::Kind::kLaunch:
        device.Launch(command.net, command.stage, command.inputs, command.outputs);
        break;
    }
  }
  // What was launched has to have worked before anybody is told that it did.
  for (const auto& device : devices) device->Sync();
  return results;
}

}  // namespace llm::bmrt

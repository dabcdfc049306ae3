#include "bmrt/commands.h"

#include <exception>

namespace llm::bmrt {

namespace {

Device& At(const Devices& devices, int number) {
  if (number < 0 || static_cast<size_t>(number) >= devices.size())
    throw std::runtime_error("device " + std::to_string(number) + " was not opened");
  return *devices[static_cast<size_t>(number)];
}

// Chips don't see one another's memory on every board: what goes between them goes through the host.
void Move(Device& from, Device& to, const Command& command) {
  const std::vector<uint8_t> between = from.Read(command.from, command.bytes);
  to.Write(command.to, between.data(), between.size());
}

void RunOne(const Devices& devices, const Command& command, std::vector<std::vector<uint8_t>>& results) {
  Device& device = At(devices, command.device);
  switch (command.kind) {
    case Command::Kind::kWrite:
      device.Write(command.to, command.data.data(), command.data.size());
      break;
    case Command::Kind::kRead:
      results.push_back(device.Read(command.from, command.bytes));
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

}  // namespace

// The driver keeps account of launches by thread: whoever launched has to wait, whatever else went wrong.
std::vector<std::vector<uint8_t>> Run(const Devices& devices, const std::vector<Command>& commands) {
  std::vector<std::vector<uint8_t>> results;
  std::exception_ptr failed;
  const auto attempt = [&failed](const auto& work) {
    try {
      work();
    } catch (...) {
      if (!failed) failed = std::current_exception();
    }
  };
  attempt([&] {
    for (const Command& command : commands) RunOne(devices, command, results);
  });
  for (const auto& device : devices) attempt([&] { device->Sync(); });
  if (failed) std::rethrow_exception(failed);
  return results;
}

}  // namespace llm::bmrt

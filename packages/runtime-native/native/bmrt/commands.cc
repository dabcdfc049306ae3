#include "bmrt/commands.h"

#include <exception>

#include "codecs/dispatch.h"

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

// Of what several devices made, the sum in float32 and in the order of the terms, for every device that goes on with it. All
// devices have been launched by then; waiting for the first lets the others run.
void Sum(const Devices& devices, const Command& command) {
  if (command.terms.empty()) throw std::runtime_error("a sum of nothing");
  const codecs::Kernels& numbers = codecs::Current();
  const size_t count = command.bytes / (command.numbers == codecs::kF32 ? 4 : 2);
  std::vector<uint8_t> bytes;
  std::vector<float> sum, term;
  for (const auto& [device, place] : command.terms) {
    bytes = At(devices, device).Read(place, command.bytes);
    sum.resize(count);
    term.resize(count);
    numbers.convert(command.numbers, codecs::kF32, bytes.data(), term.data(), count);
    for (size_t i = 0; i < count; i++) sum[i] += term[i];
  }
  numbers.convert(codecs::kF32, command.numbers, sum.data(), bytes.data(), count);
  for (const auto& [device, place] : command.targets) At(devices, device).Write(place, bytes.data(), bytes.size());
}

void RunOne(const Devices& devices, const Command& command, std::vector<std::vector<uint8_t>>& results) {
  if (command.kind == Command::Kind::kSum) return Sum(devices, command);
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
    case Command::Kind::kSum:
      break;  // of many devices, and done above
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

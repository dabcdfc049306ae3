#pragma once

#include <string>
#include <vector>

#include "vendor.h"

namespace llm::qaic {

// A program on its devices: the order of the vendor's calls, and what each of them needs to be told.
class Adapter {
 public:
  explicit Adapter(Vendor& vendor) : vendor_(vendor) {}
  ~Adapter() { Close(); }
  Adapter(const Adapter&) = delete;
  Adapter& operator=(const Adapter&) = delete;

  // Loads and activates a QPC; gives its inputs and outputs in the order of their indices.
  const std::vector<Mapping>& Open(const std::string& qpc, const std::vector<uint32_t>& devices);

  // One execution, with a buffer for every mapping. Which specialisation runs follows from the dimensions. Outputs are filled.
  void Call(std::vector<Buffer>& buffers);

  // Gives the devices back. Closing twice is fine, and so is closing what failed to open.
  void Close();

 private:
  enum class State { kClosed, kLoaded, kActive };

  Vendor& vendor_;
  State state_ = State::kClosed;
  std::vector<Mapping> mappings_;
};

}  // namespace llm::qaic

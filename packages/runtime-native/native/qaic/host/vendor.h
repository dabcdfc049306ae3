#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace llm::qaic {

// What went wrong, in the order that the other side of the pipe counts them.
enum class Failure : uint32_t { kNone = 0, kRefused = 1, kBusy = 2, kTimeout = 3, kReset = 4, kDevice = 5, kProgram = 6 };

class Error : public std::runtime_error {
 public:
  Error(Failure kind, const std::string& what) : std::runtime_error(what), kind_(kind) {}
  Failure kind() const { return kind_; }

 private:
  Failure kind_;
};

// An input or output of a program, as the vendor's library counts them.
struct Mapping {
  std::string name;
  uint32_t index;
  bool is_input;
  uint64_t bytes;
  uint32_t dtype;
  bool is_partial_allowed;
};

// One buffer of a call. Of no dimensions but {0} and no bytes: what the device keeps itself.
struct Buffer {
  uint32_t element_bytes;
  std::vector<uint32_t> dims;
  std::vector<uint8_t> data;
};

struct ProgramOptions {
  std::vector<uint32_t> devices;
  std::string device_mapping;  // "0:1:2:3"; empty for a single device
  uint32_t submit_retry_ms;
  uint32_t data_path_ms;
};

// The vendor's library, call by call. Nothing is decided in here: what is called when is the adapter's.
class Vendor {
 public:
  virtual ~Vendor() = default;
  virtual void OpenContext(const std::vector<uint32_t>& devices) = 0;
  virtual void OpenQueue(uint32_t device) = 0;
  virtual void LoadQpc(const std::string& folder, const std::string& file) = 0;
  virtual std::vector<Mapping> Mappings() = 0;
  virtual void LoadProgram(const ProgramOptions& options) = 0;
  virtual void Activate() = 0;
  virtual void CreateExecution() = 0;
  virtual void SetData(std::vector<Buffer>& buffers) = 0;
  virtual void Enqueue() = 0;
  virtual void Wait() = 0;
  virtual void Deactivate() = 0;
  virtual void Unload() = 0;
};

}  // namespace llm::qaic

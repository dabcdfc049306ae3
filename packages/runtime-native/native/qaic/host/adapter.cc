#include "adapter.h"

#include <algorithm>
#include <set>

namespace llm::qaic {

namespace {

// A load of many gigabytes, and a long prompt's execution, take their time.
constexpr uint32_t kSubmitRetryMs = 60000;
constexpr uint32_t kDataPathMs = 60000;

std::string JoinIds(const std::vector<uint32_t>& ids) {
  std::string joined;
  for (const uint32_t id : ids) joined += (joined.empty() ? "" : ":") + std::to_string(id);
  return joined;
}

bool IsSkipped(const Buffer& buffer) { return buffer.dims.size() == 1 && buffer.dims[0] == 0; }

uint64_t BytesOf(const Buffer& buffer) {
  uint64_t bytes = buffer.element_bytes;
  for (const uint32_t dim : buffer.dims) bytes *= dim;
  return bytes;
}

template <typename Work>
void Try(Work work) {
  try {
    work();
  } catch (const Error&) {
  }
}

// Indices count the mappings: a gap or a repetition would shift every buffer after it.
void SortByIndex(std::vector<Mapping>& mappings) {
  std::sort(mappings.begin(), mappings.end(), [](const Mapping& a, const Mapping& b) { return a.index < b.index; });
  for (size_t i = 0; i < mappings.size(); i++)
    if (mappings[i].index != i) throw Error(Failure::kProgram, "the QPC counts its inputs and outputs in another way");
}

}  // namespace

const std::vector<Mapping>& Adapter::Open(const std::string& qpc, const std::vector<uint32_t>& devices) {
  if (state_ != State::kClosed) throw Error(Failure::kRefused, "a program is open already");
  if (devices.empty()) throw Error(Failure::kRefused, "no device was named");
  if (std::set<uint32_t>(devices.begin(), devices.end()).size() != devices.size())
    throw Error(Failure::kRefused, "a device was named twice");
  const size_t slash = qpc.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : qpc.substr(0, slash);
  vendor_.OpenContext(devices);
  vendor_.OpenQueue(devices[0]);
  vendor_.LoadQpc(folder, slash == std::string::npos ? qpc : qpc.substr(slash + 1));
  mappings_ = vendor_.Mappings();
  SortByIndex(mappings_);
  vendor_.LoadProgram({devices, devices.size() > 1 ? JoinIds(devices) : "", kSubmitRetryMs, kDataPathMs});
  state_ = State::kLoaded;
  vendor_.Activate();
  state_ = State::kActive;
  vendor_.CreateExecution();
  return mappings_;
}

void Adapter::Call(std::vector<Buffer>& buffers) {
  if (state_ != State::kActive) throw Error(Failure::kRefused, "no program is open");
  if (buffers.size() != mappings_.size())
    throw Error(Failure::kRefused, "the program has " + std::to_string(mappings_.size()) + " inputs and outputs, not " +
                                       std::to_string(buffers.size()));
  for (size_t i = 0; i < buffers.size(); i++) {
    const Mapping& mapping = mappings_[i];
    if (IsSkipped(buffers[i])) {
      if (!mapping.is_partial_allowed)
        throw Error(Failure::kRefused, mapping.name + " has to be given: the device doesn't keep it");
      continue;
    }
    const uint64_t bytes = BytesOf(buffers[i]);
    if (bytes != buffers[i].data.size() || bytes > mapping.bytes)
      throw Error(Failure::kRefused, mapping.name + " is of another size than its dimensions say, or than was compiled");
  }
  vendor_.SetData(buffers);
  // What the device keeps is unknown after a failure in here: only another load makes sense of it.
  try {
    vendor_.Enqueue();
    vendor_.Wait();
  } catch (const Error&) {
    Close();
    throw;
  }
}

void Adapter::Close() {
  const State was = state_;
  state_ = State::kClosed;
  // A device that was reset refuses; there is nothing left to give back then.
  if (was == State::kActive) Try([this] { vendor_.Deactivate(); });
  if (was != State::kClosed) Try([this] { vendor_.Unload(); });
}

}  // namespace llm::qaic

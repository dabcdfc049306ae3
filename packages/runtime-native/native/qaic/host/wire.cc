#include "wire.h"

#include <cstring>
#include <stdexcept>

namespace llm::qaic {

namespace {

// Logits of a large batch are some hundred megabytes; nothing is larger.
constexpr uint64_t kMostBytes = uint64_t{1} << 32;

bool ReadAll(std::FILE* from, void* into, size_t bytes) {
  const size_t done = std::fread(into, 1, bytes, from);
  if (done == 0 && bytes > 0) return false;
  if (done != bytes) throw std::runtime_error("the pipe ended in the middle of a message");
  return true;
}

}  // namespace

bool ReadFrame(std::FILE* from, Frame& frame) {
  uint8_t head[12];
  if (!ReadAll(from, head, sizeof head)) return false;
  uint64_t length;
  std::memcpy(&frame.kind, head, 4);
  std::memcpy(&length, head + 4, 8);
  if (length > kMostBytes) throw std::runtime_error("a message is too long");
  frame.body.resize(length);
  if (length > 0 && !ReadAll(from, frame.body.data(), length))
    throw std::runtime_error("the pipe ended in the middle of a message");
  return true;
}

void WriteFrame(std::FILE* to, uint32_t kind, const std::vector<uint8_t>& body) {
  const uint64_t length = body.size();
  if (std::fwrite(&kind, 4, 1, to) != 1 || std::fwrite(&length, 8, 1, to) != 1 ||
      (length > 0 && std::fwrite(body.data(), 1, length, to) != length) || std::fflush(to) != 0)
    throw std::runtime_error("the pipe is closed");
}

const uint8_t* Reader::Take(size_t count) {
  if (count > bytes_.size() - at_) throw std::runtime_error("a message ends too soon");
  const uint8_t* start = bytes_.data() + at_;
  at_ += count;
  return start;
}

uint32_t Reader::U32() {
  uint32_t value;
  std::memcpy(&value, Take(4), 4);
  return value;
}

uint64_t Reader::U64() {
  uint64_t value;
  std::memcpy(&value, Take(8), 8);
  return value;
}

std::string Reader::Text() {
  const uint32_t length = U32();
  const uint8_t* start = Take(length);
  return std::string(start, start + length);
}

std::vector<uint8_t> Reader::Bytes() {
  const uint64_t length = U64();
  const uint8_t* start = Take(length);
  return std::vector<uint8_t>(start, start + length);
}

uint32_t Reader::Count(size_t each) {
  const uint32_t count = U32();
  if (count > (bytes_.size() - at_) / each) throw std::runtime_error("a message ends too soon");
  return count;
}

void Writer::U32(uint32_t value) {
  const auto* start = reinterpret_cast<const uint8_t*>(&value);
  bytes_.insert(bytes_.end(), start, start + 4);
}

void Writer::U64(uint64_t value) {
  const auto* start = reinterpret_cast<const uint8_t*>(&value);
  bytes_.insert(bytes_.end(), start, start + 8);
}

void Writer::Text(const std::string& text) {
  U32(static_cast<uint32_t>(text.size()));
  bytes_.insert(bytes_.end(), text.begin(), text.end());
}

void Writer::Bytes(const std::vector<uint8_t>& bytes) {
  U64(bytes.size());
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

}  // namespace llm::qaic

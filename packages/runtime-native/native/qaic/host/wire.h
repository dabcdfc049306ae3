#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace llm::qaic {

// Frames on a pipe: a kind, a length, and so many bytes. Numbers are little endian, as on every host that has a card.
struct Frame {
  uint32_t kind;
  std::vector<uint8_t> body;
};

// False at the end of the stream. Throws std::runtime_error in the middle of a frame, and for one that is too long.
bool ReadFrame(std::FILE* from, Frame& frame);
void WriteFrame(std::FILE* to, uint32_t kind, const std::vector<uint8_t>& body);

// Takes a frame's body apart; throws std::runtime_error where it ends too soon.
class Reader {
 public:
  explicit Reader(const std::vector<uint8_t>& bytes) : bytes_(bytes) {}
  uint32_t U32();
  uint64_t U64();
  std::string Text();
  std::vector<uint8_t> Bytes();
  // A count of things that take at least so many bytes each.
  uint32_t Count(size_t each);

 private:
  const uint8_t* Take(size_t count);
  const std::vector<uint8_t>& bytes_;
  size_t at_ = 0;
};

class Writer {
 public:
  void U32(uint32_t value);
  void U64(uint64_t value);
  void Text(const std::string& text);
  void Bytes(const std::vector<uint8_t>& bytes);
  const std::vector<uint8_t>& bytes() const { return bytes_; }

 private:
  std::vector<uint8_t> bytes_;
};

}  // namespace llm::qaic

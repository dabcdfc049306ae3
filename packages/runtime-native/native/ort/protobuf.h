#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string_view>

namespace llm::ort {

// A stretch of bytes that holds a message of protobuf.
struct Bytes {
  uint8_t* data = nullptr;
  size_t size = 0;

  std::string_view text() const { return {reinterpret_cast<const char*>(data), size}; }
};

struct Field {
  uint32_t number;
  uint64_t value;  // of a number
  Bytes bytes;     // of a text or a message
};

// The fields of a message, one after another; those inside of others are skipped by their length. Throws where they make no sense.
class Fields {
 public:
  explicit Fields(Bytes message) : at_(message.data), end_(message.data + message.size) {}

  // False at the end.
  bool Next(Field& field) {
    if (at_ == end_) return false;
    const uint64_t key = Varint();
    field = {static_cast<uint32_t>(key >> 3), 0, {}};
    switch (key & 7) {
      case kVarint:
        field.value = Varint();
        break;
      case kEight:
        Take(8);
        break;
      case kFour:
        Take(4);
        break;
      case kLength: {
        const uint64_t size = Varint();
        field.bytes = {Take(size), static_cast<size_t>(size)};
        break;
      }
      default:
        throw std::runtime_error("no field of protobuf begins so");
    }
    return true;
  }

 private:
  enum Kind { kVarint = 0, kEight = 1, kLength = 2, kFour = 5 };

  uint8_t* Take(uint64_t bytes) {
    if (bytes > static_cast<uint64_t>(end_ - at_)) throw std::runtime_error("a field ends after its message");
    uint8_t* const from = at_;
    at_ += bytes;
    return from;
  }

  uint64_t Varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const uint8_t byte = *Take(1);
      value |= static_cast<uint64_t>(byte & 127) << shift;
      if (byte < 128) return value;
    }
    throw std::runtime_error("a number has too many bytes");
  }

  uint8_t* at_;
  uint8_t* end_;
};

}  // namespace llm::ort

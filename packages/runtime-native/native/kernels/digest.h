#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace llm::kernels {

// Tells whether bytes are still those that were written: for damage, not against anybody who means harm. Eight lanes, so that
// it reads as fast as memory gives.
class Digest {
 public:
  static constexpr size_t kBlock = 64;

  // `bytes` must be whole blocks.
  void Add(const uint8_t* data, size_t bytes) {
    for (size_t at = 0; at < bytes; at += kBlock)
      for (size_t lane = 0; lane < kLanes; lane++) {
        uint64_t word;
        std::memcpy(&word, data + at + 8 * lane, sizeof word);
        lanes_[lane] = Mix(lanes_[lane] ^ word);
      }
    bytes_ += bytes;
  }

  uint64_t value() const {
    uint64_t all = bytes_;
    for (const uint64_t lane : lanes_) all = Mix(all ^ lane);
    return all;
  }

 private:
  static constexpr size_t kLanes = kBlock / sizeof(uint64_t);

  // Invertible, so that a single changed word always changes the lane.
  static uint64_t Mix(uint64_t word) {
    word *= 0x9e3779b97f4a7c15;
    return word ^ (word >> 32);
  }

  uint64_t lanes_[kLanes] = {1, 2, 3, 4, 5, 6, 7, 8};
  uint64_t bytes_ = 0;
};

}  // namespace llm::kernels

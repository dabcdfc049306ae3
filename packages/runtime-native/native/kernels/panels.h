#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace llm::kernels {

// Weights that share a scale, and activations that do.
constexpr size_t kGroup = 32;
// Rows of a weight that lie together: as many as a vector register of 512 bits has 32-bit lanes.
constexpr size_t kPanelRows = 16;

// A weight as MatMulNBits has it: codes (rows, groups, 32 · bits / 8) with zero in the middle of their range, and scales
// (rows, groups).
struct Source {
  const uint8_t* codes;
  const float* scales;
  size_t rows;
  size_t groups;
  int bits;
};

// How a weight lies in order. With `half`, scales are kept in 16 bits: only where they are the same then.
struct PanelShape {
  size_t rows;
  size_t groups;
  int bits;
  bool half;

  size_t count() const { return (rows + kPanelRows - 1) / kPanelRows; }
  size_t panel_bytes() const {
    return groups * kPanelRows * (kGroup * static_cast<size_t>(bits) / 8 + (half ? sizeof(uint16_t) : sizeof(float)));
  }
  size_t bytes() const { return count() * panel_bytes(); }
};

// A weight [rows, columns] in 4 or 8 bits, in the order in which the multiplication reads it. Panels of 16 rows; in each, one
// group of 32 columns after another: first the codes, four columns of every row at a time (in 4 bits, columns j and j + 16
// share a byte), then the 16 scales.
class Panels {
 public:
  // In memory of its own, to be filled.
  explicit Panels(const PanelShape& shape);
  // Where they lie already; that must stay there longer than this.
  Panels(const PanelShape& shape, const uint8_t* panels) : shape_(shape), panels_(panels) {}

  size_t rows() const { return shape_.rows; }
  size_t groups() const { return shape_.groups; }
  size_t count() const { return shape_.count(); }
  bool half_scales() const { return shape_.half; }
  const uint8_t* panel(size_t index) const { return panels_ + index * shape_.panel_bytes(); }

  // Brings panels [from, to) into order; every one once, before it is used. Threads may share the work.
  void Fill(const Source& source, size_t from, size_t to);

 private:
  struct Free {
    void operator()(uint8_t* data) const;
  };

  PanelShape shape_;
  std::unique_ptr<uint8_t[], Free> own_;
  const uint8_t* panels_;
};

// Writes panels [from, to) of a weight to `out`.
void PackPanels(const Source& source, bool half, size_t from, size_t to, uint8_t* out);

// Whether all of them are the same in 16 bits.
bool FitHalf(const float* values, size_t count);

// Rows of activations in 8 bits with a scale for every group: what is multiplied by a weight's panels.
class Activations {
 public:
  Activations(size_t rows, size_t columns);

  size_t rows() const { return rows_; }
  size_t columns() const { return columns_; }
  size_t groups() const { return groups_; }
  int8_t* codes(size_t row) { return codes_.get() + row * groups_ * kGroup; }
  const int8_t* codes(size_t row) const { return codes_.get() + row * groups_ * kGroup; }
  float* scales(size_t row) { return scales_.get() + row * groups_; }
  const float* scales(size_t row) const { return scales_.get() + row * groups_; }
  // The sum of each group's codes.
  int32_t* sums(size_t row) { return sums_.get() + row * groups_; }
  const int32_t* sums(size_t row) const { return sums_.get() + row * groups_; }

 private:
  size_t rows_;
  size_t columns_;
  size_t groups_;
  template <typename T>
  using Scratch = std::unique_ptr<T[], void (*)(void*)>;
  Scratch<int8_t> codes_;
  Scratch<float> scales_;
  Scratch<int32_t> sums_;
};

// A part of a product: these panels of the weight by these rows of activations.
struct Block {
  size_t from_panel;
  size_t to_panel;
  size_t from_row;
  size_t to_row;
};

// What one kind of processor does with weights of some bits.
struct Kernel {
  // As many rows of activations share what is unpacked of a weight: blocks begin at a multiple of it.
  size_t tile;
  // Rounds one row of values to its place among the activations.
  void (*round)(Activations&, size_t row, const float* values);
  // out[row, panel's rows] for a block; `bias` may be null. `stride` is the length of a row of `out`.
  void (*multiply)(const Activations&, const Panels&, const Block&, const float* bias, float* out, size_t stride);
};

// The kernels that this processor can run, best first, by name.
std::vector<std::string> KernelNames();

// Uses the kernel of that name from now on, or none of ours for any other; for tests and comparisons.
void ChooseKernel(const std::string& name);

// The kernel in use: the best, unless another was chosen. Null where there is none, and the runtime's own does the work.
const Kernel* FindKernel(int bits);

}  // namespace llm::kernels

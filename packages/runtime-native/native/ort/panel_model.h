#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

namespace llm::ort {

// A model file in which the products that a kernel of ours can do bear our operator's name. Everything else stays as it is, and
// what isn't looked at isn't read: weights inside the file least of all.
class PanelModel {
 public:
  // Null where no node can be ours, or the file isn't one that can be understood: then it is the runtime's to say so.
  static std::unique_ptr<const PanelModel> Of(const std::filesystem::path& file);

  ~PanelModel();
  PanelModel(const PanelModel&) = delete;
  PanelModel& operator=(const PanelModel&) = delete;

  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  PanelModel() = default;
  // Whether there is a file to look at.
  bool Load(const std::filesystem::path& file);

  uint8_t* data_ = nullptr;
  size_t size_ = 0;
#ifdef _WIN32
  std::vector<uint8_t> own_;
#endif
};

}  // namespace llm::ort

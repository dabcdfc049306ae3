#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>

namespace llm::kernels {

// A file in the making, with a name that nobody else takes. It gets its own when it is finished, and is removed otherwise; what is
// there then is never written to again.
class PartFile {
 public:
  // Throws where there can be none.
  PartFile(const std::filesystem::path& folder, const char* name);
  ~PartFile();
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  int number() const { return number_; }
  void Write(const void* data, size_t bytes, size_t offset) const;
  void Finish();

  // Removes what processes left that ended while they wrote.
  static void Sweep(const std::filesystem::path& folder);

 private:
  // Whether the file is there under a name of its own, and nobody takes it for one that was left.
  bool Open(const std::filesystem::path& path);

  std::filesystem::path path_;
  std::filesystem::path name_;
  int number_ = -1;
  bool finished_ = false;
};

}  // namespace llm::kernels

#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kernels/panels.h"

namespace llm::kernels {

// A weight that is to be kept in order, by the name that it is found under again.
struct NamedSource {
  std::string name;
  Source source;
};

// Weights in order, mapped from a file: loading takes no copy, and processes share the pages. The file has a folder of its own.
// Its last bytes say how long it is and what its content adds up to, and it gets its name when they are written: so it is whole
// or not there.
class PanelFile {
 public:
  // Null where there is none that can be relied on. A file that was written to, moved or copied since it was last looked through
  // is looked through first; otherwise that would cost more than it saves.
  static std::shared_ptr<const PanelFile> Open(const std::filesystem::path& folder);

  // Writes one, in the place of any that is there. Throws where it can't, or where it would leave the disk nearly full.
  static void Write(const std::filesystem::path& folder, const std::vector<NamedSource>& weights);

  ~PanelFile();
  PanelFile(const PanelFile&) = delete;
  PanelFile& operator=(const PanelFile&) = delete;

  // Whether it has a weight of that name and size.
  bool Has(const NamedSource& weight) const;
  // One that it has, for as long as this lives.
  Panels At(const std::string& name) const;

 private:
  struct Entry {
    PanelShape shape;
    size_t offset;
  };

  PanelFile(const uint8_t* data, size_t bytes) : data_(data), bytes_(bytes) {}
  bool ReadDirectory();
  bool IsWhole() const;

  const uint8_t* data_;
  size_t bytes_;
  size_t panel_bytes_ = 0;  // where the directory begins
  uint64_t digest_ = 0;
  std::map<std::string, Entry> entries_;
};

}  // namespace llm::kernels

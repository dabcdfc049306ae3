#pragma once

#include <filesystem>
#include <functional>
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
// Its last bytes say how long it is and what its content adds up to, and it gets its name when they are written.
class PanelFile {
 public:
  // Told again and again how many bytes of how many are made, on the thread that asked for it.
  using Progress = std::function<void(size_t done, size_t total)>;

  // Null where there is none that can be relied on. A file that was written to, moved or copied since it was last looked through
  // is looked through first; otherwise that would cost more than it saves.
  static std::shared_ptr<const PanelFile> Open(const std::filesystem::path& folder, size_t threads);

  // Makes one, in the place of any that is there. Throws where it can't, or where it would leave the disk nearly full.
  static std::shared_ptr<const PanelFile> Make(const std::filesystem::path& folder, const std::vector<NamedSource>& weights,
                                               size_t threads, const Progress& progress);

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
  // Null for a file that doesn't say what it has.
  static std::shared_ptr<PanelFile> Map(int number);
  bool ReadDirectory();
  bool IsWhole(size_t threads) const;

  const uint8_t* data_;
  size_t bytes_;
  size_t panel_bytes_ = 0;  // where the directory begins
  uint64_t digest_ = 0;
  std::map<std::string, Entry> entries_;
};

}  // namespace llm::kernels

#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ort/library.h"
#include "ort/panel_op.h"

namespace llm::ort {

struct Options {
  int threads = 0;  // 0: as ONNX Runtime decides
  bool arena = false;
  bool kernels = true;  // ours for packed weights, where the processor has them
  std::filesystem::path panels;  // the folder that keeps weights in their order, if any
  kernels::PanelFile::Progress progress;  // of making what that folder keeps
  std::vector<std::pair<std::string, std::string>> config;
};

// An input or output as the model declares it; where a size is not known yet, it has a name or none.
struct Port {
  std::string name;
  int type = 0;
  std::vector<int64_t> shape;
  std::vector<std::string> symbols;
};

// A loaded model. Threads may share one.
class Session {
 public:
  Session(const Library& library, const std::filesystem::path& file, const Options& options);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const Library& library() const { return library_; }
  const std::vector<Port>& inputs() const { return inputs_; }
  const std::vector<Port>& outputs() const { return outputs_; }
  // Why weights can't be kept in their order; empty where they are, or nobody asked for it.
  const std::string& unkept() const { return unkept_; }

  // All inputs in order, and of the outputs those that are wanted, by number. A null output becomes a new tensor, which the
  // caller must release.
  void Run(const std::vector<const Value*>& inputs, const std::vector<size_t>& wanted, std::vector<Value*>& outputs) const;

 private:
  // The runtime's settings; the caller releases them.
  SessionOptions* Settings(const Options& options) const;
  // Loads the model with operators of ours in it; false where it has none that they could stand for.
  bool CreateWithPanels(const std::filesystem::path& file, const Options& options);
  void KeepPanels(const Options& options);
  std::vector<Port> Ports(bool outputs) const;

  const Library& library_;
  std::unique_ptr<const PanelOps> ops_;
  std::string unkept_;
  NativeSession* session_ = nullptr;
  std::vector<Port> inputs_;
  std::vector<Port> outputs_;
  std::vector<const char*> input_names_;
};

}  // namespace llm::ort

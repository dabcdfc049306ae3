#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "ort/api.h"
#include "ort/custom_op.h"

namespace llm::ort {

// The name under which a model's MatMulNBits nodes come to ours. As long as the runtime's own name, so that it can be written
// over that in the bytes of a model.
constexpr const char* kNBits = "MatMulNBits";
constexpr const char* kPanels = "MatMulPanel";

// Whether this processor has a kernel of ours.
bool HavePanelKernel();

class PanelKernel;
class PanelOps;

// Our operator, which knows whose it is.
struct PanelOp : CustomOp {
  const PanelOps* ops;
};

// Our operators as one session knows them. They must outlive it.
class PanelOps {
 public:
  explicit PanelOps(const Api& api);
  ~PanelOps();
  PanelOps(const PanelOps&) = delete;
  PanelOps& operator=(const PanelOps&) = delete;

  const Api& api() const { return api_; }
  void AddTo(SessionOptions* options) const;

  // Has the session's weights lie in order in a file of that folder, which is made where there is none. Throws where that
  // can't be: then they are put in order in memory at first use.
  void Keep(const std::filesystem::path& folder) const;

  // Called by kernels that begin and end, which happens while a session is made and when it is released.
  void Join(PanelKernel* kernel) const;
  void Leave(PanelKernel* kernel) const;

 private:
  const Api& api_;
  std::unique_ptr<const PanelOp> op_;
  OpDomain* domain_ = nullptr;
  mutable std::vector<PanelKernel*> kernels_;
};

// A model file's bytes with its MatMulNBits nodes renamed; empty when it has none.
std::string WithPanelOps(const std::filesystem::path& file);

}  // namespace llm::ort

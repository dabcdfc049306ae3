#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "kernels/panel_file.h"
#include "ort/api.h"
#include "ort/custom_op.h"

namespace llm::ort {

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
  // `threads`: those of the session; 0 for as many as the machine has.
  PanelOps(const Api& api, int threads);
  ~PanelOps();
  PanelOps(const PanelOps&) = delete;
  PanelOps& operator=(const PanelOps&) = delete;

  const Api& api() const { return api_; }
  // Into how many parts work is cut at most.
  size_t parts() const { return parts_; }
  void AddTo(SessionOptions* options) const;

  // Has the session's weights lie in order in a file of that folder, which is made where there is none. Throws where that
  // can't be: then they are put in order in memory at first use.
  void Keep(const std::filesystem::path& folder, const kernels::PanelFile::Progress& progress) const;

  // Called by kernels that begin and end, which happens while a session is made and when it is released.
  void Join(PanelKernel* kernel) const;
  void Leave(PanelKernel* kernel) const;

 private:
  const Api& api_;
  size_t threads_;
  size_t parts_;
  std::unique_ptr<const PanelOp> op_;
  OpDomain* domain_ = nullptr;
  mutable std::vector<PanelKernel*> kernels_;
};

}  // namespace llm::ort

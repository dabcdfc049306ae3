#pragma once

#include <filesystem>
#include <string>

#include "ort/library.h"

namespace llm::ort {

// The name under which a model's MatMulNBits nodes come to ours. As long as the runtime's own name, so that it can be written
// over that in the bytes of a model.
constexpr const char* kNBits = "MatMulNBits";
constexpr const char* kPanels = "MatMulPanel";

// Whether this processor has a kernel of ours.
bool HavePanelKernel();

// Makes the operators of ours known to sessions with these options.
void AddPanelOp(const Library& library, SessionOptions* options);

// A model file's bytes with its MatMulNBits nodes renamed; empty when it has none.
std::string WithPanelOps(const std::filesystem::path& file);

}  // namespace llm::ort

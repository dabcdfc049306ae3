#pragma once

#include <napi.h>

#include "kernels/panel_file.h"

namespace llm::ort {

// Tells a function of JavaScript (done, total), from whichever thread.
kernels::PanelFile::Progress Telling(Napi::Env env, const Napi::Function& function);

}  // namespace llm::ort

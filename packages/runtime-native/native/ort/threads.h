#pragma once

#include "ort/api.h"

namespace llm::ort {

// Has the threads that a session computes with made by us, as ones that let others in.
void MakeThreads(const Api& api, SessionOptions* settings);

}  // namespace llm::ort

#pragma once

#include <string>
#include <vector>

namespace llm {

// What the processor and the operating system together offer to vector code, by the names of Linux's /proc/cpuinfo. Only
// what kernels choose by is listed.
std::vector<std::string> CpuFeatures();

}  // namespace llm

#pragma once

#include <cstddef>

namespace llm {

// Memory for what a model computes in between. malloc keeps what was freed for the thread that took it, and cuts large pieces into
// small ones, so that a long prompt left several times its need behind. Here large pieces lie in one region of their own, lowest
// first, whoever takes them. Aligned as vector code wants it; throws std::bad_alloc.
void* TakeScratch(size_t bytes);
void GiveScratch(void* memory);

// Gives what is free back to the system.
void TidyScratch();

}  // namespace llm

#pragma once

namespace llm {

// Makes the calling thread one that computes for long and lets others in: the event loop, which has answers to give, then waits
// less than a millisecond for a processor instead of several. For threads of ours alone: it can't be taken back. Whether the system
// let it; where not, everything is as it would be without.
bool ComputeInBackground();

// Whether threads of this process may do so.
bool CanComputeInBackground();

}  // namespace llm

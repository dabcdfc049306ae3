#pragma once

namespace llm {

// Makes the calling thread one that computes for long and lets others in: the event loop, which has answers to give, then waits
// less than a millisecond for a processor instead of several. For threads of ours alone: it can't be taken back.
void ComputeInBackground();

}  // namespace llm

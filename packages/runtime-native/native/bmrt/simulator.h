#pragma once

#include <string>

namespace llm::bmrt {

// The simulator's threads, one for each unit of the chip, wait for each other in loops that never rest: on a machine with fewer
// cores than they are, the one that has work waits for all that have none, command by command. After this they rest. Does
// nothing where the file can't be loaded or is made otherwise; call it before a device is asked for.
void RestWhileWaiting(const std::string& simulator);

}  // namespace llm::bmrt

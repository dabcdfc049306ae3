#pragma once

#include <memory>

#include "vendor.h"

namespace llm::qaic {

// The installed SDK's library. Only this part is compiled against its header.
std::unique_ptr<Vendor> OpenSdk();

}  // namespace llm::qaic

#pragma once

#include <napi.h>

namespace llm::codecs {

// Adds `codecs` to the addon's exports; `src/codecs/index.ts` is its only caller and says what each function takes.
void Register(Napi::Env env, Napi::Object exports);

}  // namespace llm::codecs

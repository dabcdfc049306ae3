#pragma once

#include <napi.h>

namespace llm::bmrt {

// Adds `bmrt` to the addon's exports; `src/bmrt/addon-device.ts` is its only caller and says what each function takes.
void Register(Napi::Env env, Napi::Object exports);

}  // namespace llm::bmrt

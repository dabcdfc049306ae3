#pragma once

#include <napi.h>

namespace llm::ort {

// Adds `ort` to the addon's exports; `src/ort/addon-session.ts` is its only caller and says what each function takes.
void Register(Napi::Env env, Napi::Object exports);

}  // namespace llm::ort

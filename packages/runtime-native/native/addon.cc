#include <napi.h>

#include "bmrt/bindings.h"
#include "codecs/bindings.h"
#include "cpu_features.h"
#include "ort/bindings.h"

namespace {

Napi::Value CpuFeatures(const Napi::CallbackInfo& info) {
  const auto names = llm::CpuFeatures();
  auto list = Napi::Array::New(info.Env(), names.size());
  for (uint32_t i = 0; i < names.size(); i++) list[i] = Napi::String::New(info.Env(), names[i]);
  return list;
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  // What the JavaScript side expects of this build; it refuses another.
  exports.Set("abi", Napi::Number::New(env, 9));
  exports.Set("cpuFeatures", Napi::Function::New(env, CpuFeatures, "cpuFeatures"));
  llm::bmrt::Register(env, exports);
  llm::codecs::Register(env, exports);
  llm::ort::Register(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(llm_native, Init)

#include "ort/telling.h"

#include <memory>
#include <utility>

namespace llm::ort {

kernels::PanelFile::Progress Telling(Napi::Env env, const Napi::Function& function) {
  auto* const asked = new Napi::ThreadSafeFunction(Napi::ThreadSafeFunction::New(env, function, "progress", 0, 1));
  const std::shared_ptr<Napi::ThreadSafeFunction> tell(asked, [](Napi::ThreadSafeFunction* held) {
    held->Release();
    delete held;
  });
  return [tell](size_t done, size_t total) {
    tell->NonBlockingCall([done, total](Napi::Env, const Napi::Function& told) {
      told.Call({Napi::Number::New(told.Env(), static_cast<double>(done)), Napi::Number::New(told.Env(), static_cast<double>(total))});
    });
  };
}

}  // namespace llm::ort

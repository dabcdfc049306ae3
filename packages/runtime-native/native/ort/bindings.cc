#include "ort/bindings.h"

#include <memory>
#include <utility>

#include "background.h"
#include "kernels/panels.h"
#include "ort/best_call.h"
#include "ort/handles.h"
#include "ort/run.h"
#include "ort/runner.h"
#include "ort/session.h"
#include "ort/telling.h"

namespace llm::ort {

namespace {

std::filesystem::path PathOf(const Napi::Value& value) {
#ifdef _WIN32
  const std::u16string text = value.As<Napi::String>().Utf16Value();
  return std::filesystem::path(text);
#else
  return value.As<Napi::String>().Utf8Value();
#endif
}

Napi::Array PortList(Napi::Env env, const std::vector<Port>& ports) {
  auto list = Napi::Array::New(env, ports.size());
  for (uint32_t i = 0; i < ports.size(); i++) {
    const Port& port = ports[i];
    auto shape = Napi::Array::New(env, port.shape.size());
    for (uint32_t axis = 0; axis < port.shape.size(); axis++)
      if (port.shape[axis] >= 0)
        shape[axis] = Napi::Number::New(env, static_cast<double>(port.shape[axis]));
      else
        shape[axis] = Napi::String::New(env, port.symbols[axis]);
    auto item = Napi::Object::New(env);
    item["name"] = Napi::String::New(env, port.name);
    item["type"] = Napi::Number::New(env, port.type);
    item["shape"] = shape;
    list[i] = item;
  }
  return list;
}

class OpenWorker : public Napi::AsyncWorker {
 public:
  OpenWorker(Napi::Env env, const Library& library, std::filesystem::path file, Options options)
      : AsyncWorker(env), deferred_(Napi::Promise::Deferred::New(env)), library_(library), file_(std::move(file)),
        options_(std::move(options)) {}

  Napi::Promise Promise() const { return deferred_.Promise(); }

  void Execute() override { session_ = std::make_shared<const Session>(library_, file_, options_); }

  void OnOK() override {
    auto opened = Napi::Object::New(Env());
    opened["inputs"] = PortList(Env(), session_->inputs());
    opened["outputs"] = PortList(Env(), session_->outputs());
    if (!session_->unkept().empty()) opened["unkept"] = Napi::String::New(Env(), session_->unkept());
    opened["handle"] = Napi::External<SessionHandle>::New(
        Env(), new SessionHandle{std::move(session_), nullptr}, [](Napi::Env, SessionHandle* handle) { delete handle; });
    deferred_.Resolve(opened);
  }

  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

 private:
  Napi::Promise::Deferred deferred_;
  const Library& library_;
  std::filesystem::path file_;
  Options options_;
  std::shared_ptr<const Session> session_;
};

// Errors of ours as JavaScript's.
template <Napi::Value (*function)(const Napi::CallbackInfo&)>
Napi::Value Guarded(const Napi::CallbackInfo& info) {
  try {
    return function(info);
  } catch (const Napi::Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Napi::Error::New(info.Env(), error.what());
  }
}

// (library) → version
Napi::Value VersionOf(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), Library::Load(PathOf(info[0])).version());
}

// (library, file, { threads, arena, kernels, config: [[key, value]], panels?, progress? with it: (done, total) })
// → Promise<{ handle, inputs, outputs, unkept? }>
Napi::Value OpenSession(const Napi::CallbackInfo& info) {
  const Library& library = Library::Load(PathOf(info[0]));
  const auto given = info[2].As<Napi::Object>();
  Options options;
  options.threads = given.Get("threads").As<Napi::Number>().Int32Value();
  options.arena = given.Get("arena").As<Napi::Boolean>().Value();
  options.kernels = given.Get("kernels").As<Napi::Boolean>().Value();
  if (given.Has("panels")) {
    options.panels = PathOf(given.Get("panels"));
    options.progress = Telling(info.Env(), given.Get("progress").As<Napi::Function>());
  }
  const auto config = given.Get("config").As<Napi::Array>();
  for (uint32_t i = 0; i < config.Length(); i++) {
    const Napi::Value item = config[i];
    const auto pair = item.As<Napi::Array>();
    options.config.emplace_back(pair.Get(0u).As<Napi::String>().Utf8Value(), pair.Get(1u).As<Napi::String>().Utf8Value());
  }
  auto* const worker = new OpenWorker(info.Env(), library, PathOf(info[1]), std::move(options));
  const Napi::Promise promise = worker->Promise();
  worker->Queue();
  return promise;
}

// (library, type, shape, array) → tensor
Napi::Value MakeTensor(const Napi::CallbackInfo& info) {
  const Library& library = Library::Load(PathOf(info[0]));
  const auto dims = info[2].As<Napi::Array>();
  std::vector<int64_t> shape;
  for (uint32_t i = 0; i < dims.Length(); i++) shape.push_back(dims.Get(i).As<Napi::Number>().Int64Value());
  auto tensor = std::make_unique<TensorHandle>(library, info[3].As<Napi::TypedArray>());
  library.api().Check(library.api().create_tensor(library.memory(), tensor->data, tensor->bytes, shape.data(), shape.size(),
                                                  info[1].As<Napi::Number>().Int32Value(), &tensor->value));
  return Napi::External<TensorHandle>::New(info.Env(), tensor.release(),
                                           [](Napi::Env, TensorHandle* handle) { delete handle; });
}

SessionHandle& HandleOf(const Napi::CallbackInfo& info) {
  SessionHandle& handle = *info[0].As<Napi::External<SessionHandle>>().Data();
  if (handle.session == nullptr) throw std::runtime_error("this model is closed");
  return handle;
}

std::unique_ptr<Run> RunOf(const Napi::CallbackInfo& info) {
  return std::make_unique<Run>(info.Env(), HandleOf(info).session, info[1].As<Napi::Array>(), info[2].As<Napi::Array>(),
                               info[3].As<Napi::Array>(), info[4].ToBoolean().Value());
}

// (handle, inputs, outputs: tensor | null (a new one) | undefined (not wanted), best: what `best` takes, each; tidy)
// → Promise<({ shape, data } | undefined)[]>
Napi::Value RunSession(const Napi::CallbackInfo& info) {
  SessionHandle& handle = HandleOf(info);
  if (handle.runner == nullptr) handle.runner = Runner::Make(info.Env());
  return handle.runner->Start(RunOf(info));
}

// The same on this thread: ({ shape, data } | undefined)[]
Napi::Value RunHere(const Napi::CallbackInfo& info) {
  const auto run = RunOf(info);
  run->Execute();
  return run->Results(info.Env());
}

// (handle): what runs for it still is told
Napi::Value CloseSession(const Napi::CallbackInfo& info) {
  SessionHandle& handle = *info[0].As<Napi::External<SessionHandle>>().Data();
  handle.session.reset();
  handle.runner.reset();
  return info.Env().Undefined();
}

// (what `BestCall` is made from)
Napi::Value BestOf(const Napi::CallbackInfo& info) {
  BestCall::From(info[0].As<Napi::Array>()).Find();
  return info.Env().Undefined();
}

// () → names of the kernels of ours that this processor can run, best first
Napi::Value Kernels(const Napi::CallbackInfo& info) {
  const auto names = kernels::KernelNames();
  auto list = Napi::Array::New(info.Env(), names.size());
  for (uint32_t i = 0; i < names.size(); i++) list[i] = Napi::String::New(info.Env(), names[i]);
  return list;
}

// (name): models that are opened from now on use that one
Napi::Value ChooseKernel(const Napi::CallbackInfo& info) {
  kernels::ChooseKernel(info[0].As<Napi::String>().Utf8Value());
  return info.Env().Undefined();
}

// () → whether threads that compute let others in here
Napi::Value InBackground(const Napi::CallbackInfo& info) { return Napi::Boolean::New(info.Env(), CanComputeInBackground()); }

}  // namespace

void Register(Napi::Env env, Napi::Object exports) {
  auto ort = Napi::Object::New(env);
  ort["version"] = Napi::Function::New(env, Guarded<VersionOf>, "version");
  ort["open"] = Napi::Function::New(env, Guarded<OpenSession>, "open");
  ort["tensor"] = Napi::Function::New(env, Guarded<MakeTensor>, "tensor");
  ort["run"] = Napi::Function::New(env, Guarded<RunSession>, "run");
  ort["runHere"] = Napi::Function::New(env, Guarded<RunHere>, "runHere");
  ort["best"] = Napi::Function::New(env, Guarded<BestOf>, "best");
  ort["kernels"] = Napi::Function::New(env, Guarded<Kernels>, "kernels");
  ort["chooseKernel"] = Napi::Function::New(env, Guarded<ChooseKernel>, "chooseKernel");
  ort["inBackground"] = Napi::Function::New(env, Guarded<InBackground>, "inBackground");
  ort["close"] = Napi::Function::New(env, Guarded<CloseSession>, "close");
  exports["ort"] = ort;
}

}  // namespace llm::ort

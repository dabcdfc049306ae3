#include "ort/bindings.h"

#include <memory>
#include <utility>

#include "kernels/panels.h"
#include "ort/best.h"
#include "ort/handles.h"
#include "ort/run.h"
#include "ort/session.h"

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
    opened["handle"] = Napi::External<SessionHandle>::New(
        Env(), new SessionHandle{std::move(session_)}, [](Napi::Env, SessionHandle* handle) { delete handle; });
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

// A call on another thread.
class RunWorker : public Napi::AsyncWorker {
 public:
  RunWorker(Napi::Env env, std::unique_ptr<Run> run)
      : AsyncWorker(env), deferred_(Napi::Promise::Deferred::New(env)), run_(std::move(run)) {}

  Napi::Promise Promise() const { return deferred_.Promise(); }
  void Execute() override { run_->Execute(); }
  void OnOK() override { deferred_.Resolve(run_->Results(Env())); }
  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

 private:
  Napi::Promise::Deferred deferred_;
  std::unique_ptr<Run> run_;
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

// (library, file, { threads, arena, kernels, panels?, config: [[key, value]] }) → Promise<{ handle, inputs, outputs }>
Napi::Value OpenSession(const Napi::CallbackInfo& info) {
  const Library& library = Library::Load(PathOf(info[0]));
  const auto given = info[2].As<Napi::Object>();
  Options options;
  options.threads = given.Get("threads").As<Napi::Number>().Int32Value();
  options.arena = given.Get("arena").As<Napi::Boolean>().Value();
  options.kernels = given.Get("kernels").As<Napi::Boolean>().Value();
  if (given.Has("panels")) options.panels = PathOf(given.Get("panels"));
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

std::unique_ptr<Run> RunOf(const Napi::CallbackInfo& info) {
  const auto session = info[0].As<Napi::External<SessionHandle>>().Data()->session;
  if (session == nullptr) throw std::runtime_error("this model is closed");
  return std::make_unique<Run>(info.Env(), session, info[1].As<Napi::Array>(), info[2].As<Napi::Array>(),
                               info[3].ToBoolean().Value());
}

// (handle, inputs, outputs: tensor | null (a new one) | undefined (not wanted), tidy) → Promise<({ shape, data } | undefined)[]>
Napi::Value RunSession(const Napi::CallbackInfo& info) {
  auto worker = std::make_unique<RunWorker>(info.Env(), RunOf(info));
  const Napi::Promise promise = worker->Promise();
  worker.release()->Queue();  // it deletes itself when it is done
  return promise;
}

// The same on this thread: ({ shape, data } | undefined)[]
Napi::Value RunHere(const Napi::CallbackInfo& info) {
  const auto run = RunOf(info);
  run->Execute();
  return run->Results(info.Env());
}

// (handle)
Napi::Value CloseSession(const Napi::CallbackInfo& info) {
  info[0].As<Napi::External<SessionHandle>>().Data()->session.reset();
  return info.Env().Undefined();
}

// (logits, vocab, k, allow | undefined, ids, values, sums | undefined): the best of each row, into the arrays given
Napi::Value BestOf(const Napi::CallbackInfo& info) {
  const auto logits = info[0].As<Napi::Float32Array>();
  const auto vocab = static_cast<size_t>(info[1].As<Napi::Number>().Int64Value());
  const auto k = static_cast<size_t>(info[2].As<Napi::Number>().Int64Value());
  const bool masked = !info[3].IsUndefined();
  auto ids = info[4].As<Napi::Int32Array>();
  auto values = info[5].As<Napi::Float32Array>();
  const bool summed = !info[6].IsUndefined();
  const size_t rows = vocab == 0 ? 0 : logits.ElementLength() / vocab;
  if (ids.ElementLength() < rows * k || values.ElementLength() < rows * k ||
      (masked && info[3].As<Napi::Uint32Array>().ElementLength() * 32 < vocab) ||
      (summed && info[6].As<Napi::Float32Array>().ElementLength() < rows))
    throw std::runtime_error("an array is too short");
  const uint32_t* const allow = masked ? info[3].As<Napi::Uint32Array>().Data() : nullptr;
  for (size_t row = 0; row < rows; row++) {
    Best(logits.Data() + row * vocab, vocab, k, allow, ids.Data() + row * k, values.Data() + row * k);
    if (summed) info[6].As<Napi::Float32Array>().Data()[row] = LogSumExp(logits.Data() + row * vocab, vocab, allow);
  }
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
  ort["close"] = Napi::Function::New(env, Guarded<CloseSession>, "close");
  exports["ort"] = ort;
}

}  // namespace llm::ort

#include "ort/bindings.h"

#include <cstring>
#include <iterator>
#include <memory>
#include <utility>

#include "kernels/panels.h"
#include "ort/best.h"
#include "ort/session.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

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

// A session as JavaScript holds it: closing lets go of it, but a run that is under way keeps it alive until it ends.
struct SessionHandle {
  std::shared_ptr<const Session> session;
};

// Memory of a typed array as a tensor. The array lives as long as this does.
struct TensorHandle {
  TensorHandle(const Library& of, Napi::TypedArray array) : library(of), bytes(array.ByteLength()) {
    data = static_cast<uint8_t*>(array.ArrayBuffer().Data()) + array.ByteOffset();
    held = Napi::Persistent(array);
  }
  ~TensorHandle() {
    if (value != nullptr) library.api().release_value(value);
  }
  TensorHandle(const TensorHandle&) = delete;
  TensorHandle& operator=(const TensorHandle&) = delete;

  // Whether the memory is still where it was: a buffer that was sent to another thread is not.
  bool InPlace() const {
    const Napi::TypedArray array = held.Value();
    return array.ByteLength() == bytes &&
           (bytes == 0 || static_cast<uint8_t*>(array.ArrayBuffer().Data()) + array.ByteOffset() == data);
  }

  const Library& library;
  size_t bytes;
  void* data;
  Value* value = nullptr;
  Napi::Reference<Napi::TypedArray> held;
};

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

class RunWorker : public Napi::AsyncWorker {
 public:
  RunWorker(Napi::Env env, std::shared_ptr<const Session> session, const Napi::Array& inputs, const Napi::Array& outputs,
            bool tidy)
      : AsyncWorker(env), deferred_(Napi::Promise::Deferred::New(env)), session_(std::move(session)), tidy_(tidy),
        held_inputs_(Napi::Persistent(inputs)), held_outputs_(Napi::Persistent(outputs)) {
    for (uint32_t i = 0; i < inputs.Length(); i++) inputs_.push_back(Tensor(inputs[i])->value);
    for (uint32_t i = 0; i < outputs.Length(); i++) {
      const Napi::Value wanted = outputs[i];
      if (wanted.IsUndefined()) continue;
      wanted_.push_back(i);
      outputs_.push_back(wanted.IsNull() ? nullptr : Tensor(wanted)->value);
      fresh_.push_back(wanted.IsNull());
    }
  }

  ~RunWorker() override {
    for (size_t i = 0; i < outputs_.size(); i++)
      if (fresh_[i] && outputs_[i] != nullptr) session_->library().api().release_value(outputs_[i]);
  }

  Napi::Promise Promise() const { return deferred_.Promise(); }

  void Execute() override {
    session_->Run(inputs_, wanted_, outputs_);
    for (size_t i = 0; i < outputs_.size(); i++)
      if (fresh_[i]) made_.push_back(Describe(i));
    if (tidy_) GiveBack();
  }

  // New tensors in their places, nothing where the caller's memory was written.
  void OnOK() override {
    auto results = Napi::Array::New(Env(), session_->outputs().size());
    for (const Made& made : made_) {
      auto shape = Napi::Array::New(Env(), made.shape.size());
      for (uint32_t axis = 0; axis < made.shape.size(); axis++)
        shape[axis] = Napi::Number::New(Env(), static_cast<double>(made.shape[axis]));
      auto buffer = Napi::ArrayBuffer::New(Env(), made.bytes);
      if (made.bytes > 0) std::memcpy(buffer.Data(), made.data, made.bytes);
      auto result = Napi::Object::New(Env());
      result["shape"] = shape;
      result["data"] = buffer;
      results[made.place] = result;
    }
    deferred_.Resolve(results);
  }

  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

 private:
  struct Made {
    uint32_t place;
    std::vector<int64_t> shape;
    const void* data;
    size_t bytes;
  };

  const TensorHandle* Tensor(const Napi::Value& value) const {
    const TensorHandle* const tensor = value.As<Napi::External<TensorHandle>>().Data();
    if (!tensor->InPlace()) throw Napi::Error::New(Env(), "a tensor's memory was moved or taken away");
    return tensor;
  }

  Made Describe(size_t index) const {
    const Api& api = session_->library().api();
    TensorInfo* raw = nullptr;
    api.Check(api.tensor_of_value(outputs_[index], &raw));
    const std::unique_ptr<TensorInfo, void (*)(TensorInfo*)> info(raw, api.release_tensor);
    size_t rank = 0;
    int type = 0;
    api.Check(api.rank(raw, &rank));
    api.Check(api.element_type(raw, &type));
    Made made{static_cast<uint32_t>(wanted_[index]), std::vector<int64_t>(rank), nullptr, BytesOf(type)};
    api.Check(api.dimensions(raw, made.shape.data(), rank));
    for (const int64_t size : made.shape) made.bytes *= static_cast<size_t>(size);
    void* data = nullptr;
    api.Check(api.tensor_data(outputs_[index], &data));
    made.data = data;
    return made;
  }

  // Runs happen on whichever thread is free, and glibc keeps what each has freed for that thread alone: after a long prompt
  // that is several times what any run needs. Others' allocators give it back by themselves.
  static void GiveBack() {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
  }

  // By ONNX's numbers of element types; see `src/ort/tensor.ts`. 0 for those that nobody asks for.
  static size_t BytesOf(int type) {
    constexpr size_t kBytes[] = {0, 4, 1, 1, 2, 2, 4, 8, 0, 1, 2, 8, 4, 8};
    return type > 0 && type < static_cast<int>(std::size(kBytes)) ? kBytes[type] : 0;
  }

  Napi::Promise::Deferred deferred_;
  std::shared_ptr<const Session> session_;
  bool tidy_;
  Napi::Reference<Napi::Array> held_inputs_;
  Napi::Reference<Napi::Array> held_outputs_;
  std::vector<const Value*> inputs_;
  std::vector<size_t> wanted_;
  std::vector<Value*> outputs_;
  std::vector<bool> fresh_;
  std::vector<Made> made_;
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

// (library, file, { threads, arena, kernels, config: [[key, value]] }) → Promise<{ handle, inputs, outputs }>
Napi::Value OpenSession(const Napi::CallbackInfo& info) {
  const Library& library = Library::Load(PathOf(info[0]));
  const auto given = info[2].As<Napi::Object>();
  Options options;
  options.threads = given.Get("threads").As<Napi::Number>().Int32Value();
  options.arena = given.Get("arena").As<Napi::Boolean>().Value();
  options.kernels = given.Get("kernels").As<Napi::Boolean>().Value();
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

// (handle, inputs, outputs: tensor | null (a new one) | undefined (not wanted), tidy) → Promise<({ shape, data } | undefined)[]>
Napi::Value RunSession(const Napi::CallbackInfo& info) {
  const auto session = info[0].As<Napi::External<SessionHandle>>().Data()->session;
  if (session == nullptr) throw std::runtime_error("this model is closed");
  auto worker =
      std::make_unique<RunWorker>(info.Env(), session, info[1].As<Napi::Array>(), info[2].As<Napi::Array>(),
                                  info[3].ToBoolean().Value());
  const Napi::Promise promise = worker->Promise();
  worker.release()->Queue();  // it deletes itself when it is done
  return promise;
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
  ort["best"] = Napi::Function::New(env, Guarded<BestOf>, "best");
  ort["kernels"] = Napi::Function::New(env, Guarded<Kernels>, "kernels");
  ort["chooseKernel"] = Napi::Function::New(env, Guarded<ChooseKernel>, "chooseKernel");
  ort["close"] = Napi::Function::New(env, Guarded<CloseSession>, "close");
  exports["ort"] = ort;
}

}  // namespace llm::ort

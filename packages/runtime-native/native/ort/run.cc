#include "ort/run.h"

#include <cstring>
#include <iterator>
#include <utility>

#include "ort/handles.h"
#include "scratch.h"

namespace llm::ort {

namespace {

const TensorHandle* Tensor(Napi::Env env, const Napi::Value& value) {
  const TensorHandle* const tensor = value.As<Napi::External<TensorHandle>>().Data();
  if (!tensor->InPlace()) throw Napi::Error::New(env, "a tensor's memory was moved or taken away");
  return tensor;
}

// By ONNX's numbers of element types; see `src/ort/tensor.ts`. 0 for those that nobody asks for.
size_t BytesOf(int type) {
  constexpr size_t kBytes[] = {0, 4, 1, 1, 2, 2, 4, 8, 0, 1, 2, 8, 4, 8};
  return type > 0 && type < static_cast<int>(std::size(kBytes)) ? kBytes[type] : 0;
}

}  // namespace

Run::Run(Napi::Env env, std::shared_ptr<const Session> session, const Napi::Array& inputs, const Napi::Array& outputs,
         const Napi::Array& best, bool tidy)
    : session_(std::move(session)), tidy_(tidy), held_inputs_(Napi::Persistent(inputs)),
      held_outputs_(Napi::Persistent(outputs)), held_best_(Napi::Persistent(best)) {
  for (uint32_t i = 0; i < inputs.Length(); i++) inputs_.push_back(Tensor(env, inputs[i])->value);
  for (uint32_t i = 0; i < outputs.Length(); i++) {
    const Napi::Value wanted = outputs[i];
    if (wanted.IsUndefined()) continue;
    wanted_.push_back(i);
    outputs_.push_back(wanted.IsNull() ? nullptr : Tensor(env, wanted)->value);
    fresh_.push_back(wanted.IsNull());
  }
  for (uint32_t i = 0; i < best.Length(); i++) {
    const Napi::Value call = best[i];
    best_.push_back(BestCall::From(call.As<Napi::Array>()));
  }
}

Run::~Run() {
  for (size_t i = 0; i < outputs_.size(); i++)
    if (fresh_[i] && outputs_[i] != nullptr) session_->library().api().release_value(outputs_[i]);
}

void Run::Execute() {
  session_->Run(inputs_, wanted_, outputs_);
  for (const BestCall& best : best_) best.Find();
  for (size_t i = 0; i < outputs_.size(); i++)
    if (fresh_[i]) made_.push_back(Describe(i));
  if (tidy_) TidyScratch();
}

Napi::Array Run::Results(Napi::Env env) const {
  auto results = Napi::Array::New(env, session_->outputs().size());
  for (const Made& made : made_) {
    auto shape = Napi::Array::New(env, made.shape.size());
    for (uint32_t axis = 0; axis < made.shape.size(); axis++)
      shape[axis] = Napi::Number::New(env, static_cast<double>(made.shape[axis]));
    auto buffer = Napi::ArrayBuffer::New(env, made.bytes);
    if (made.bytes > 0) std::memcpy(buffer.Data(), made.data, made.bytes);
    auto result = Napi::Object::New(env);
    result["shape"] = shape;
    result["data"] = buffer;
    results[made.place] = result;
  }
  return results;
}

Run::Made Run::Describe(size_t index) const {
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

}  // namespace llm::ort

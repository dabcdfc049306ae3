#pragma once

#include <napi.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "ort/best_call.h"
#include "ort/session.h"

namespace llm::ort {

// One call of a model: what it takes and gives is held until it is over.
class Run {
 public:
  // `outputs`: a tensor to be written, null for a new one, undefined for what isn't wanted. `best`: what `BestCall` is made
  // from, each; found when all is computed.
  Run(Napi::Env env, std::shared_ptr<const Session> session, const Napi::Array& inputs, const Napi::Array& outputs,
      const Napi::Array& best, bool tidy);
  ~Run();
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  // On any thread.
  void Execute();
  // New tensors in their places, nothing where the caller's memory was written.
  Napi::Array Results(Napi::Env env) const;

 private:
  struct Made {
    uint32_t place;
    std::vector<int64_t> shape;
    const void* data;
    size_t bytes;
  };

  Made Describe(size_t index) const;

  std::shared_ptr<const Session> session_;
  bool tidy_;
  Napi::Reference<Napi::Array> held_inputs_;
  Napi::Reference<Napi::Array> held_outputs_;
  Napi::Reference<Napi::Array> held_best_;
  std::vector<const Value*> inputs_;
  std::vector<size_t> wanted_;
  std::vector<Value*> outputs_;
  std::vector<bool> fresh_;
  std::vector<Made> made_;
  std::vector<BestCall> best_;
};

}  // namespace llm::ort

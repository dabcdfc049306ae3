#pragma once

#include <napi.h>

#include <cstdint>
#include <memory>

#include "ort/runner.h"
#include "ort/session.h"

namespace llm::ort {

// A session as JavaScript holds it: closing lets go of it, but a run that is under way keeps it alive until it ends.
struct SessionHandle {
  std::shared_ptr<const Session> session;
  std::shared_ptr<Runner> runner;  // from the first run on that isn't the caller's own thread's
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

}  // namespace llm::ort

#include "ort/threads.h"

#include <exception>
#include <thread>

#include "background.h"

namespace llm::ort {

namespace {

ThreadHandle* Make(void*, void (*work)(void*), void* data) {
  try {
    return reinterpret_cast<ThreadHandle*>(new std::thread([work, data] {
      ComputeInBackground();
      work(data);
    }));
  } catch (const std::exception&) {
    return nullptr;  // the runtime says so
  }
}

void Join(const ThreadHandle* handle) {
  auto* const thread = reinterpret_cast<std::thread*>(const_cast<ThreadHandle*>(handle));
  thread->join();
  delete thread;
}

}  // namespace

void MakeThreads(const Api& api, SessionOptions* settings) {
  api.Check(api.set_create_thread(settings, Make));
  api.Check(api.set_join_thread(settings, Join));
}

}  // namespace llm::ort

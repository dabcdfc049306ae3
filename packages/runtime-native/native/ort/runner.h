#pragma once

#include <napi.h>

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

#include "ort/run.h"

namespace llm::ort {

// The thread that a model's runs happen on, one after another. It is made, asked and destroyed on the thread of the JavaScript
// that the model belongs to, which is told of every result there.
class Runner : public std::enable_shared_from_this<Runner> {
 public:
  static std::shared_ptr<Runner> Make(Napi::Env env);
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  // Resolves to what `Run::Results` gives.
  Napi::Promise Start(std::unique_ptr<Run> run);

 private:
  struct Job;

  explicit Runner(Napi::Env env);
  void Loop();
  // Waits for the run under way; what has not begun never will.
  void Stop();
  static void Tell(napi_env env, napi_value, void*, void* data);
  static void OnEnd(void* runner);

  Napi::Env env_;
  napi_threadsafe_function tell_ = nullptr;
  size_t pending_ = 0;  // of the JavaScript's thread alone
  bool ended_ = false;  // so is the environment
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job*> jobs_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace llm::ort

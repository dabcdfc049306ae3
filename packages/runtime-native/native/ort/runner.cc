#include "ort/runner.h"

#include <chrono>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

#include "background.h"

namespace llm::ort {

namespace {

// Waiting without an end is a function of its own in newer C++ libraries, which some systems that the addon is for don't have.
constexpr auto kLong = std::chrono::hours(24);

void Check(napi_status status) {
  if (status != napi_ok) throw std::runtime_error("Node.js gives no way to be told of results");
}

}  // namespace

struct Runner::Job {
  std::shared_ptr<Runner> runner;  // it lives until its last result is told
  std::unique_ptr<Run> run;
  Napi::Promise::Deferred deferred;
  std::string failure;
  bool failed = false;
};

std::shared_ptr<Runner> Runner::Make(Napi::Env env) { return std::shared_ptr<Runner>(new Runner(env)); }

Runner::Runner(Napi::Env env) : env_(env) {
  Check(napi_create_threadsafe_function(env, nullptr, nullptr, Napi::String::New(env, "llm run"), 0, 1, nullptr, nullptr,
                                        nullptr, Tell, &tell_));
  try {
    // A program may end while a model is open; it may not while one runs.
    Check(napi_unref_threadsafe_function(env, tell_));
    thread_ = std::thread(&Runner::Loop, this);
    // Hooks come in the opposite order: ours before the function is closed.
    Check(napi_add_env_cleanup_hook(env, OnEnd, this));
  } catch (...) {
    // There is no destructor of what was never made.
    Stop();
    napi_release_threadsafe_function(tell_, napi_tsfn_release);
    throw;
  }
}

Runner::~Runner() {
  Stop();
  if (ended_) return;  // the function ends with the environment
  napi_remove_env_cleanup_hook(env_, OnEnd, this);
  napi_release_threadsafe_function(tell_, napi_tsfn_release);
}

Napi::Promise Runner::Start(std::unique_ptr<Run> run) {
  auto* const job = new Job{shared_from_this(), std::move(run), Napi::Promise::Deferred::New(env_), {}};
  const Napi::Promise promise = job->deferred.Promise();
  if (pending_++ == 0) napi_ref_threadsafe_function(env_, tell_);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    jobs_.push_back(job);
  }
  wake_.notify_one();
  return promise;
}

void Runner::Loop() {
  ComputeInBackground();
  for (;;) {
    std::unique_lock<std::mutex> lock(mutex_);
    while (!wake_.wait_for(lock, kLong, [this] { return stopping_ || !jobs_.empty(); })) continue;
    if (stopping_) return;
    Job* const job = jobs_.front();
    jobs_.pop_front();
    lock.unlock();
    try {
      job->run->Execute();
    } catch (const std::exception& error) {
      job->failed = true;
      job->failure = error.what();
    }
    // The function outlives this thread, which its end waits for.
    napi_call_threadsafe_function(tell_, job, napi_tsfn_blocking);
  }
}

void Runner::Stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

// `env` is null where the environment ended before the result could be told.
void Runner::Tell(napi_env env, napi_value, void*, void* data) {
  const std::unique_ptr<Job> job(static_cast<Job*>(data));
  if (env == nullptr) return;
  Runner& runner = *job->runner;
  if (--runner.pending_ == 0) napi_unref_threadsafe_function(env, runner.tell_);
  try {
    if (job->failed)
      job->deferred.Reject(Napi::Error::New(env, job->failure).Value());
    else
      job->deferred.Resolve(job->run->Results(env));
  } catch (const Napi::Error&) {
    // A worker that is being stopped has nobody left to tell.
  }
}

void Runner::OnEnd(void* data) {
  auto* const runner = static_cast<Runner*>(data);
  const std::shared_ptr<Runner> alive = runner->shared_from_this();
  runner->Stop();
  runner->ended_ = true;
  for (Job* const job : std::exchange(runner->jobs_, {})) delete job;
}

}  // namespace llm::ort

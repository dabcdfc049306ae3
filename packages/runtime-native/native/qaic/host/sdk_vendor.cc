#include "sdk_vendor.h"

#include <cstring>
#include <type_traits>
#include <utility>

#include "QAicApi.hpp"

namespace llm::qaic {

namespace {

namespace rt = ::qaic::rt;

// The library's own words tell its failures apart: its numbers differ between SDKs.
Failure KindOf(const std::string& what) {
  const auto has = [&](const char* part) { return what.find(part) != std::string::npos; };
  if (has("imeout") || has("TIMEDOUT") || has("timed out")) return Failure::kTimeout;
  if (has("reset") || has("RESET") || has("SSR")) return Failure::kReset;
  if (has("busy") || has("BUSY") || has("resources")) return Failure::kBusy;
  return Failure::kDevice;
}

void Check(const char* call, QStatus status) {
  if (status == QS_SUCCESS) return;
  std::string what = std::string(call) + " failed with status " + std::to_string(static_cast<int>(status));
  throw Error(Failure::kDevice, what);
}

// Exceptions of the library's, as ours, with the call that threw.
template <typename Work>
auto Guard(const char* call, Work work) {
  try {
    return work();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Error(KindOf(error.what()), std::string(call) + ": " + error.what());
  }
}

// How a property keeps a text differs between SDKs.
[[maybe_unused]] void Assign(std::string& field, const std::string& text) { field = text; }
[[maybe_unused]] void Assign(const char*& field, const std::string& text) { field = text.c_str(); }
template <size_t N>
void Assign(char (&field)[N], const std::string& text) {
  std::strncpy(field, text.c_str(), N - 1);
  field[N - 1] = 0;
}

class Sdk final : public Vendor {
 public:
  void OpenContext(const std::vector<uint32_t>& devices) override {
    Guard("Context", [&] {
      std::vector<QID> ids(devices.begin(), devices.end());
      context_ = rt::Context::Factory(nullptr, ids);
    });
  }

  void OpenQueue(uint32_t device) override {
    Guard("Queue", [&] {
      QAicQueueProperties_t properties;
      rt::Queue::initProperties(properties);
      queue_ = rt::Queue::Factory(context_, static_cast<QID>(device), &properties);
    });
  }

  void LoadQpc(const std::string& folder, const std::string& file) override {
    try {
      qpc_ = rt::Qpc::Factory(folder, file);
    } catch (const std::exception& error) {
      throw Error(Failure::kProgram, std::string("Qpc: ") + error.what());
    }
  }

  std::vector<Mapping> Mappings() override {
    return Guard("getBufferMappings", [&] {
      std::vector<Mapping> mappings;
      for (const auto& one : qpc_->getBufferMappings())
        mappings.push_back({std::string(one.bufferName), static_cast<uint32_t>(one.index),
                            one.ioType == BUFFER_IO_TYPE_INPUT, static_cast<uint64_t>(one.size),
                            static_cast<uint32_t>(one.dataType), one.isPartialBufferAllowed});
      return mappings;
    });
  }

  void LoadProgram(const ProgramOptions& options) override {
    Guard("Program", [&] {
      rt::Program::initProperties(properties_);
      properties_.SubmitRetryTimeoutMs = options.submit_retry_ms;
      properties_.dataPathTimeoutMs = options.data_path_ms;
      mapping_ = options.device_mapping;
      if (!mapping_.empty()) Assign(properties_.devMapping, mapping_);
      const auto first = static_cast<QID>(options.devices.front());
      program_ = rt::Program::Factory(context_, first, "llm", qpc_, &properties_);
      Check("Program::load", program_->load());
    });
  }

  void Activate() override {
    Guard("Program::activate", [&] { Check("Program::activate", program_->activate()); });
  }

  void CreateExecution() override {
    Guard("ExecObj", [&] { execution_ = rt::ExecObj::Factory(context_, program_); });
  }

  void SetData(std::vector<Buffer>& buffers) override {
    Guard("ExecObj::setData", [&] {
      std::vector<QBuffer> views;
      std::vector<std::pair<uint32_t, std::vector<uint32_t>>> dims;
      for (Buffer& buffer : buffers) {
        QBuffer view{};
        view.size = buffer.data.size();
        view.buf = buffer.data.data();
        views.push_back(view);
        dims.emplace_back(buffer.element_bytes, buffer.dims);
      }
      Check("ExecObj::setData", execution_->setData(views, dims));
    });
  }

  void Enqueue() override {
    Guard("Queue::enqueue", [&] { Check("Queue::enqueue", queue_->enqueue(execution_)); });
  }

  void Wait() override {
    Guard("ExecObj::waitForCompletion", [&] { Check("ExecObj::waitForCompletion", execution_->waitForCompletion()); });
  }

  void Deactivate() override {
    Guard("Program::deactivate", [&] { Check("Program::deactivate", program_->deactivate()); });
  }

  void Unload() override {
    Guard("Program::unload", [&] { Check("Program::unload", program_->unload()); });
  }

 private:
  rt::shContext context_;
  rt::shQueue queue_;
  rt::shQpc qpc_;
  std::string mapping_;
  QAicProgramProperties_t properties_;
  rt::shProgram program_;
  rt::shExecObj execution_;
};

}  // namespace

std::unique_ptr<Vendor> OpenSdk() { return std::make_unique<Sdk>(); }

}  // namespace llm::qaic

#pragma once

// For tests: the names that the adapter uses of the vendor's header, in front of the stand-in library. Written from what
// programs that use the real one call; nothing of it is the vendor's text.

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "../stand_in.h"

using QID = int32_t;
enum QStatus { QS_SUCCESS = 0, QS_ERROR = 1 };
enum QAicIoType { BUFFER_IO_TYPE_INPUT = 1, BUFFER_IO_TYPE_OUTPUT = 2 };

struct QBuffer {
  size_t size;
  uint8_t* buf;
  uint64_t handle;
  uint32_t offset;
  uint32_t type;
};

struct QAicProgramProperties_t {
  uint32_t SubmitRetryTimeoutMs;
  uint32_t dataPathTimeoutMs;
  std::string devMapping;
};
struct QAicQueueProperties_t {
  uint32_t numThreadsPerQueue;
};
struct QAicContextProperties_t {
  uint32_t unused;
};

namespace qaic::rt {

class CoreExceptionInit : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

inline void ThrowUnless(int status) {
  if (status != 0) throw CoreExceptionInit(stand_in_message());
}

// Failures of calls after the first ones are statuses, with words in an exception where the real one has them too.
inline QStatus StatusOf(int status) {
  ThrowUnless(status);
  return QS_SUCCESS;
}

class Context;
class Qpc;
class Program;
class ExecObj;
class Queue;
using shContext = std::shared_ptr<Context>;
using shQpc = std::shared_ptr<Qpc>;
using shProgram = std::shared_ptr<Program>;
using shExecObj = std::shared_ptr<ExecObj>;
using shQueue = std::shared_ptr<Queue>;

class Context {
 public:
  static shContext Factory(QAicContextProperties_t*, const std::vector<QID>& ids) {
    ThrowUnless(stand_in_context(ids.data(), ids.size()));
    return std::make_shared<Context>();
  }
};

struct BufferMapping {
  std::string bufferName;
  uint32_t index;
  QAicIoType ioType;
  uint32_t size;
  bool isPartialBufferAllowed;
  uint32_t dataType;
};

class Qpc {
 public:
  static shQpc Factory(const std::string& folder, const std::string& file) {
    ThrowUnless(stand_in_qpc(folder.c_str(), file.c_str()));
    return std::make_shared<Qpc>();
  }
  std::vector<BufferMapping> getBufferMappings() const {
    const stand_in_mapping* list = nullptr;
    const size_t count = stand_in_mappings(&list);
    std::vector<BufferMapping> mappings;
    for (size_t i = 0; i < count; i++)
      mappings.push_back({list[i].name, list[i].index, list[i].is_input ? BUFFER_IO_TYPE_INPUT : BUFFER_IO_TYPE_OUTPUT,
                          static_cast<uint32_t>(list[i].bytes), list[i].is_partial_allowed != 0, list[i].dtype});
    return mappings;
  }
};

class Program {
 public:
  static void initProperties(QAicProgramProperties_t& properties) { properties = {}; }
  static shProgram Factory(shContext, QID id, const char*, shQpc, QAicProgramProperties_t* properties) {
    ThrowUnless(stand_in_program(id, properties->devMapping.c_str(), properties->SubmitRetryTimeoutMs,
                                 properties->dataPathTimeoutMs));
    return std::make_shared<Program>();
  }
  QStatus load() { return StatusOf(stand_in_load()); }
  QStatus activate() { return StatusOf(stand_in_activate()); }
  QStatus deactivate() { return StatusOf(stand_in_deactivate()); }
  QStatus unload() { return StatusOf(stand_in_unload()); }
};

class ExecObj {
 public:
  static shExecObj Factory(shContext, shProgram) {
    ThrowUnless(stand_in_execution());
    return std::make_shared<ExecObj>();
  }
  QStatus setData(const std::vector<QBuffer>& buffers,
                  const std::vector<std::pair<uint32_t, std::vector<uint32_t>>>& dims) {
    // As the real one, it keeps no views of its caller's lists.
    dims_ = dims;
    std::vector<stand_in_buffer> all;
    for (size_t i = 0; i < buffers.size(); i++)
      all.push_back({buffers[i].size, buffers[i].buf, dims_[i].first, dims_[i].second.data(), dims_[i].second.size()});
    return StatusOf(stand_in_set_data(all.data(), all.size()));
  }
  QStatus waitForCompletion() { return StatusOf(stand_in_wait()); }

 private:
  std::vector<std::pair<uint32_t, std::vector<uint32_t>>> dims_;
};

class Queue {
 public:
  static void initProperties(QAicQueueProperties_t& properties) { properties = {}; }
  static shQueue Factory(shContext, QID id, QAicQueueProperties_t*) {
    ThrowUnless(stand_in_queue(id));
    return std::make_shared<Queue>();
  }
  QStatus enqueue(shExecObj) { return StatusOf(stand_in_enqueue()); }
};

}  // namespace qaic::rt

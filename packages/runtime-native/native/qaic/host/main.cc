#include <unistd.h>

#include <cstdio>
#include <memory>

#include "adapter.h"
#include "sdk_vendor.h"
#include "wire.h"

// The vendor's library in a process of its own: it may end the process that it is in. Questions come on stdin, answers go to
// what stdout was; whatever the library prints goes to stderr.

namespace {

using llm::qaic::Adapter;
using llm::qaic::Buffer;
using llm::qaic::Error;
using llm::qaic::Failure;
using llm::qaic::Frame;
using llm::qaic::Reader;
using llm::qaic::Writer;

enum Question : uint32_t { kOpen = 1, kCall = 2, kClose = 3 };

void Open(Adapter& adapter, Reader& reader, Writer& writer) {
  const std::string qpc = reader.Text();
  std::vector<uint32_t> devices(reader.Count(4));
  for (uint32_t& device : devices) device = reader.U32();
  const auto& mappings = adapter.Open(qpc, devices);
  writer.U32(static_cast<uint32_t>(mappings.size()));
  for (const auto& mapping : mappings) {
    writer.Text(mapping.name);
    writer.U32(mapping.is_input ? 1 : 0);
    writer.U64(mapping.bytes);
    writer.U32(mapping.dtype);
    writer.U32(mapping.is_partial_allowed ? 1 : 0);
  }
}

void Call(Adapter& adapter, Reader& reader, Writer& writer) {
  std::vector<Buffer> buffers(reader.Count(16));
  std::vector<bool> is_wanted;
  for (Buffer& buffer : buffers) {
    buffer.element_bytes = reader.U32();
    buffer.dims.resize(reader.Count(4));
    uint64_t bytes = buffer.element_bytes;
    for (uint32_t& dim : buffer.dims) bytes *= (dim = reader.U32());
    is_wanted.push_back(reader.U32() != 0);
    buffer.data = reader.Bytes();
    if (is_wanted.back()) buffer.data.resize(bytes);
  }
  adapter.Call(buffers);
  for (size_t i = 0; i < buffers.size(); i++)
    if (is_wanted[i]) writer.Bytes(buffers[i].data);
}

}  // namespace

int main() {
  // Answers have the pipe to themselves.
  std::FILE* answers = fdopen(dup(STDOUT_FILENO), "wb");
  dup2(STDERR_FILENO, STDOUT_FILENO);
  if (answers == nullptr) return 1;

  const auto vendor = llm::qaic::OpenSdk();
  Adapter adapter(*vendor);
  try {
    for (Frame frame; llm::qaic::ReadFrame(stdin, frame);) {
      Writer writer;
      Reader reader(frame.body);
      auto kind = Failure::kNone;
      try {
        if (frame.kind == kOpen)
          Open(adapter, reader, writer);
        else if (frame.kind == kCall)
          Call(adapter, reader, writer);
        else if (frame.kind == kClose)
          adapter.Close();
        else
          throw Error(Failure::kRefused, "there is no such question");
      } catch (const Error& error) {
        writer = Writer();
        writer.Text(error.what());
        kind = error.kind();
      } catch (const std::exception& error) {
        writer = Writer();
        writer.Text(error.what());
        kind = Failure::kRefused;
      }
      llm::qaic::WriteFrame(answers, static_cast<uint32_t>(kind), writer.bytes());
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}

#include "kernels/part_file.h"

#ifndef _WIN32

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <random>
#include <string>
#include <system_error>

namespace llm::kernels {

namespace {

namespace fs = std::filesystem;

constexpr const char* kPart = ".part";
// Where files can't be locked, one that is as old is nobody's: writing takes minutes at most.
constexpr auto kLeftFor = std::chrono::hours(2);

[[noreturn]] void Fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

// Not the process's number: in containers that is the same one after each start, and for several that share a folder.
std::string RandomName() {
  std::random_device random;
  char name[17];
  std::snprintf(name, sizeof name, "%08x%08x", random(), random());
  return name;
}

bool IsLeft(const fs::path& path) {
  const int number = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (number < 0) return false;
  const bool locked = flock(number, LOCK_EX | LOCK_NB) == 0;
  const bool unknown = !locked && errno != EWOULDBLOCK;
  close(number);
  std::error_code failed;
  const auto written = fs::last_write_time(path, failed);
  return locked || (unknown && !failed && fs::file_time_type::clock::now() - written > kLeftFor);
}

}  // namespace

PartFile::PartFile(const fs::path& folder, const char* name) : name_(folder / name) {
  do path_ = folder / (name + ("." + RandomName()) + kPart);
  while (!Open(path_));
}

PartFile::~PartFile() {
  if (!finished_) unlink(path_.c_str());
  close(number_);
}

bool PartFile::Open(const fs::path& path) {
  // Nobody is to write to it when it is finished: whoever shortens a file that is mapped ends the processes that read it.
  number_ = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
  if (number_ < 0 && errno == EEXIST) return false;
  if (number_ < 0) Fail("open");
  // Held as long as this lives: a file that nobody holds is one that was left. Another may look between the two calls.
  struct stat info;
  const bool taken = flock(number_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  if (!taken && fstat(number_, &info) == 0 && info.st_nlink > 0) return true;
  close(number_);
  return false;
}

void PartFile::Write(const void* data, size_t bytes, size_t offset) const {
  const auto* from = static_cast<const uint8_t*>(data);
  while (bytes > 0) {
    const ssize_t written = pwrite(number_, from, bytes, static_cast<off_t>(offset));
    if (written < 0 && errno != EINTR) Fail("write");
    if (written <= 0) continue;
    from += written;
    offset += static_cast<size_t>(written);
    bytes -= static_cast<size_t>(written);
  }
}

void PartFile::Finish() {
  if (rename(path_.c_str(), name_.c_str()) != 0) Fail("rename");
  finished_ = true;
}

void PartFile::Sweep(const fs::path& folder) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored))
    if (entry.path().extension() == kPart && IsLeft(entry.path())) fs::remove(entry.path(), ignored);
}

}  // namespace llm::kernels

#endif

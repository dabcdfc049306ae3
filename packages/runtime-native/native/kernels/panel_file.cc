#include "kernels/panel_file.h"

#ifdef _WIN32

#include <stdexcept>

// Weights are put in order in memory there.
namespace llm::kernels {

std::shared_ptr<const PanelFile> PanelFile::Open(const std::filesystem::path&) { return nullptr; }
void PanelFile::Write(const std::filesystem::path&, const std::vector<NamedSource>&) {
  throw std::runtime_error("files of ordered weights are not for this system");
}
PanelFile::~PanelFile() = default;
bool PanelFile::Has(const NamedSource&) const { return false; }
Panels PanelFile::At(const std::string& name) const { return Panels(entries_.at(name).shape); }

}  // namespace llm::kernels

#else

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include "kernels/digest.h"

namespace llm::kernels {

namespace {

namespace fs = std::filesystem;

constexpr const char* kName = "panels";
constexpr const char* kSeen = "seen";
constexpr const char* kPart = ".part";
// The digit changes with the order or the file's layout.
constexpr char kMagic[8] = {'L', 'L', 'M', 'P', 'A', 'N', 'L', '1'};
// Written at once: whole huge pages, which the system then also keeps the file in.
constexpr size_t kPiece = size_t{8} << 20;
constexpr size_t kHugePage = size_t{2} << 20;
// What a killed process left of a file; writing one takes minutes at most.
constexpr auto kLeftFor = std::chrono::hours(2);

// The end of a file.
struct Trailer {
  uint64_t panel_bytes;
  uint64_t panel_digest;
  uint64_t directory_bytes;
  uint64_t directory_digest;
  uint64_t reserved[3];
  char magic[8];
};
static_assert(sizeof(Trailer) == Digest::kBlock);

// A weight in the directory; its name follows, up to the next whole block.
struct Record {
  uint64_t rows;
  uint64_t groups;
  uint64_t offset;
  uint32_t bits;
  uint32_t half;
  uint64_t name_bytes;
};

size_t WholeBlocks(size_t bytes) { return (bytes + Digest::kBlock - 1) / Digest::kBlock * Digest::kBlock; }

uint64_t DigestOf(const uint8_t* data, size_t bytes) {
  Digest digest;
  digest.Add(data, bytes);
  return digest.value();
}

[[noreturn]] void Fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

struct File {
  explicit File(int number) : number(number) {}
  ~File() {
    if (number >= 0) close(number);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int number;
};

void WriteAll(int file, const uint8_t* data, size_t bytes) {
  while (bytes > 0) {
    const ssize_t written = write(file, data, bytes);
    if (written < 0 && errno != EINTR) Fail("write");
    if (written <= 0) continue;
    data += written;
    bytes -= static_cast<size_t>(written);
  }
}

// What a file was when it was last found whole. Whatever writes to it changes a time that nobody can set.
struct Stamp {
  uint64_t device, inode, bytes, modified, changed;
};

uint64_t Nanoseconds(const timespec& time) { return static_cast<uint64_t>(time.tv_sec) * 1000000000 + static_cast<uint64_t>(time.tv_nsec); }

Stamp StampOf(const struct stat& info) {
#ifdef __APPLE__
  const timespec modified = info.st_mtimespec, changed = info.st_ctimespec;
#else
  const timespec modified = info.st_mtim, changed = info.st_ctim;
#endif
  return {static_cast<uint64_t>(info.st_dev), info.st_ino, static_cast<uint64_t>(info.st_size), Nanoseconds(modified), Nanoseconds(changed)};
}

bool WasSeen(const fs::path& folder, const Stamp& stamp) {
  const File file(open((folder / kSeen).c_str(), O_RDONLY | O_CLOEXEC));
  Stamp seen;
  if (file.number < 0 || read(file.number, &seen, sizeof seen) != sizeof seen ||
      std::memcmp(&seen, &stamp, sizeof stamp) != 0)
    return false;
  futimens(file.number, nullptr);  // when it was last of use, for those who clear up
  return true;
}

// A name of this process's own, beside `name`.
fs::path PartOf(const fs::path& folder, const char* name) {
  static std::atomic<unsigned> count{0};
  return folder / (name + std::string(".") + std::to_string(getpid()) + "." + std::to_string(count++) + kPart);
}

// A file that gets its name when it is finished, and is removed otherwise.
class Part {
 public:
  Part(const fs::path& folder, const char* name)
      : path_(PartOf(folder, name)), name_(folder / name), file_(open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)) {
    if (file_.number < 0) Fail("open");
  }
  ~Part() {
    if (!finished_) unlink(path_.c_str());
  }
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;

  int file() const { return file_.number; }

  // After a loss of power, too, it is whole or not there.
  void Finish() {
    if (fsync(file_.number) != 0) Fail("fsync");
    if (rename(path_.c_str(), name_.c_str()) != 0) Fail("rename");
    finished_ = true;
  }

 private:
  fs::path path_;
  fs::path name_;
  File file_;
  bool finished_ = false;
};

// Only saves the next one from looking through it: nothing depends on it.
void Remember(const fs::path& folder, const Stamp& stamp) {
  try {
    Part part(folder, kSeen);
    WriteAll(part.file(), reinterpret_cast<const uint8_t*>(&stamp), sizeof stamp);
    part.Finish();
  } catch (const std::exception&) {
  }
}

void SweepParts(const fs::path& folder) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const bool old = fs::file_time_type::clock::now() - entry.last_write_time(ignored) > kLeftFor;
    if (entry.path().extension() == kPart && !ignored && old) fs::remove(entry.path(), ignored);
  }
}

// Bytes one after another, written in pieces.
class Stream {
 public:
  explicit Stream(int file) : file_(file) {}

  // Room for `bytes` more, which become part of the file.
  uint8_t* Next(size_t bytes) {
    if (filled_ >= kPiece) Flush(kPiece);
    if (buffer_.size() < filled_ + bytes) buffer_.resize(std::max(filled_ + bytes, kPiece));
    uint8_t* const at = buffer_.data() + filled_;
    filled_ += bytes;
    return at;
  }

  // Zeros up to a whole block; gives how long it is then.
  size_t Align() {
    const size_t gap = WholeBlocks(filled_) - filled_;
    if (gap > 0) std::memset(Next(gap), 0, gap);
    return written_ + filled_;
  }

  uint64_t Finish() {
    while (filled_ > 0) Flush(std::min(filled_, kPiece));
    return digest_.value();
  }

 private:
  void Flush(size_t bytes) {
    digest_.Add(buffer_.data(), bytes);
    WriteAll(file_, buffer_.data(), bytes);
    std::memmove(buffer_.data(), buffer_.data() + bytes, filled_ - bytes);
    filled_ -= bytes;
    written_ += bytes;
  }

  int file_;
  std::vector<uint8_t> buffer_;
  size_t filled_ = 0;
  size_t written_ = 0;
  Digest digest_;
};

void AddRecord(std::vector<uint8_t>& directory, const std::string& name, const Record& record) {
  const size_t at = directory.size();
  directory.resize(at + WholeBlocks(sizeof record + name.size()));
  std::memcpy(directory.data() + at, &record, sizeof record);
  std::memcpy(directory.data() + at + sizeof record, name.data(), name.size());
}

}  // namespace

void PanelFile::Write(const fs::path& folder, const std::vector<NamedSource>& weights) {
  fs::create_directories(folder);
  SweepParts(folder);
  size_t most = 0;
  for (const auto& [name, source] : weights) most += PanelShape{source.rows, source.groups, source.bits, false}.bytes();
  if (fs::space(folder).available < 2 * most) throw std::runtime_error("the disk would be nearly full");
  Part part(folder, kName);
  Stream stream(part.file());
  std::vector<uint8_t> directory;
  for (const auto& [name, source] : weights) {
    const bool half = FitHalf(source.scales, source.rows * source.groups);
    const PanelShape shape{source.rows, source.groups, source.bits, half};
    AddRecord(directory, name, {source.rows, source.groups, stream.Align(), static_cast<uint32_t>(source.bits), half, name.size()});
    for (size_t panel = 0; panel < shape.count(); panel++)
      PackPanels(source, half, panel, panel + 1, stream.Next(shape.panel_bytes()));
  }
  Trailer trailer{};
  trailer.panel_bytes = stream.Align();
  trailer.panel_digest = stream.Finish();
  trailer.directory_bytes = directory.size();
  trailer.directory_digest = DigestOf(directory.data(), directory.size());
  std::memcpy(trailer.magic, kMagic, sizeof kMagic);
  WriteAll(part.file(), directory.data(), directory.size());
  WriteAll(part.file(), reinterpret_cast<const uint8_t*>(&trailer), sizeof trailer);
  part.Finish();
}

std::shared_ptr<const PanelFile> PanelFile::Open(const fs::path& folder) {
  const File file(open((folder / kName).c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info;
  if (file.number < 0 || fstat(file.number, &info) != 0 || info.st_size < static_cast<off_t>(sizeof(Trailer))) return nullptr;
  const auto bytes = static_cast<size_t>(info.st_size);
  // Nobody writes to it, and some file systems in user space or of a host's map nothing that is shared.
  void* const data = mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, file.number, 0);
  if (data == MAP_FAILED) return nullptr;
#ifdef __linux__
  // With small pages, looking up addresses costs as much as reading; and what isn't in memory comes in larger pieces.
  if (bytes >= kHugePage) madvise(data, bytes, MADV_HUGEPAGE);
#endif
  const std::shared_ptr<PanelFile> opened(new PanelFile(static_cast<const uint8_t*>(data), bytes));
  if (!opened->ReadDirectory()) return nullptr;
  const Stamp stamp = StampOf(info);
  if (WasSeen(folder, stamp)) return opened;
  if (!opened->IsWhole()) return nullptr;
  Remember(folder, stamp);
  return opened;
}

PanelFile::~PanelFile() { munmap(const_cast<uint8_t*>(data_), bytes_); }

bool PanelFile::ReadDirectory() {
  Trailer trailer;
  const size_t end = bytes_ - sizeof trailer;
  std::memcpy(&trailer, data_ + end, sizeof trailer);
  if (std::memcmp(trailer.magic, kMagic, sizeof kMagic) != 0 || bytes_ % Digest::kBlock != 0 ||
      trailer.directory_bytes > end || trailer.panel_bytes != end - trailer.directory_bytes ||
      trailer.panel_bytes % Digest::kBlock != 0)
    return false;
  const uint8_t* const directory = data_ + trailer.panel_bytes;
  if (DigestOf(directory, trailer.directory_bytes) != trailer.directory_digest) return false;
  for (size_t at = 0; at < trailer.directory_bytes;) {
    Record record;
    std::memcpy(&record, directory + at, sizeof record);
    const size_t left = trailer.directory_bytes - at - sizeof record;
    const PanelShape shape{record.rows, record.groups, static_cast<int>(record.bits), record.half != 0};
    if (record.name_bytes > left || record.offset > trailer.panel_bytes || shape.bytes() > trailer.panel_bytes - record.offset)
      return false;
    const char* const name = reinterpret_cast<const char*>(directory + at + sizeof record);
    entries_[std::string(name, record.name_bytes)] = {shape, record.offset};
    at += WholeBlocks(sizeof record + record.name_bytes);
  }
  panel_bytes_ = trailer.panel_bytes;
  digest_ = trailer.panel_digest;
  return true;
}

bool PanelFile::IsWhole() const { return DigestOf(data_, panel_bytes_) == digest_; }

bool PanelFile::Has(const NamedSource& weight) const {
  const auto found = entries_.find(weight.name);
  if (found == entries_.end()) return false;
  const auto& [shape, offset] = found->second;
  const Source& source = weight.source;
  return shape.rows == source.rows && shape.groups == source.groups && shape.bits == source.bits;
}

Panels PanelFile::At(const std::string& name) const {
  const Entry& entry = entries_.at(name);
  return Panels(entry.shape, data_ + entry.offset);
}

}  // namespace llm::kernels

#endif

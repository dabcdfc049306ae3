#include "kernels/panel_file.h"

#ifdef _WIN32

#include <stdexcept>

// Weights are put in order in memory there.
namespace llm::kernels {

std::shared_ptr<const PanelFile> PanelFile::Open(const std::filesystem::path&, size_t) { return nullptr; }
std::shared_ptr<const PanelFile> PanelFile::Make(const std::filesystem::path&, const std::vector<NamedSource>&, size_t,
                                                 const Progress&) {
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
#include <cstring>
#include <stdexcept>
#include <system_error>

#include "kernels/digest.h"
#include "kernels/in_threads.h"
#include "kernels/part_file.h"

namespace llm::kernels {

namespace {

namespace fs = std::filesystem;

constexpr const char* kName = "panels";
constexpr const char* kSeen = "seen";
// The digit changes with the order or the file's layout.
constexpr char kMagic[8] = {'L', 'L', 'M', 'P', 'A', 'N', 'L', '2'};
// Made, written and looked through at once: whole huge pages, which the system then also keeps the file in.
constexpr size_t kPiece = size_t{8} << 20;
constexpr size_t kHugePage = size_t{2} << 20;

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

uint64_t DigestOf(const void* data, size_t bytes) {
  Digest digest;
  digest.Add(static_cast<const uint8_t*>(data), bytes);
  return digest.value();
}

size_t Pieces(size_t bytes) { return (bytes + kPiece - 1) / kPiece; }

// The digest of a file's panels from those of its pieces.
class PieceDigests {
 public:
  explicit PieceDigests(size_t bytes) : digests_(WholeBlocks(Pieces(bytes) * sizeof(uint64_t)) / sizeof(uint64_t)) {}

  void Set(size_t piece, const uint8_t* data, size_t bytes) { digests_[piece] = DigestOf(data, bytes); }
  uint64_t All() const { return DigestOf(digests_.data(), digests_.size() * sizeof(uint64_t)); }

 private:
  std::vector<uint64_t> digests_;
};

struct File {
  explicit File(int number) : number(number) {}
  ~File() {
    if (number >= 0) close(number);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int number;
};

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

// Only saves the next one from looking through it: nothing depends on it.
void Remember(const fs::path& folder, const Stamp& stamp) {
  try {
    PartFile part(folder, kSeen);
    part.Write(&stamp, sizeof stamp, 0);
    part.Finish();
  } catch (const std::exception&) {
  }
}

// A weight and where its panels begin.
struct Placed {
  const NamedSource* weight;
  PanelShape shape;
  size_t offset;

  size_t end() const { return offset + shape.bytes(); }
};

// Weights one after another, each at a whole block.
std::vector<Placed> Place(const std::vector<NamedSource>& weights, size_t threads) {
  std::vector<Placed> placed(weights.size());
  InThreads(weights.size(), threads, [&](size_t i) {
    const Source& source = weights[i].source;
    placed[i] = {&weights[i], {source.rows, source.groups, source.bits, FitHalf(source.scales, source.rows * source.groups)}, 0};
  });
  for (size_t i = 1; i < placed.size(); i++) placed[i].offset = WholeBlocks(placed[i - 1].end());
  return placed;
}

// What belongs at [from, to) of the file. A panel that only partly does is made beside it.
void Fill(const std::vector<Placed>& placed, size_t from, size_t to, uint8_t* out) {
  std::memset(out, 0, to - from);
  std::vector<uint8_t> one;
  auto each = std::upper_bound(placed.begin(), placed.end(), from, [](size_t at, const Placed& weight) { return at < weight.end(); });
  for (; each != placed.end() && each->offset < to; each++) {
    const size_t step = each->shape.panel_bytes();
    size_t panel = from > each->offset ? (from - each->offset) / step : 0;
    for (size_t at = each->offset + panel * step; panel < each->shape.count() && at < to; panel++, at += step) {
      const size_t begin = std::max(at, from), end = std::min(at + step, to);
      if (end - begin == step) {
        PackPanels(each->weight->source, each->shape.half, panel, panel + 1, out + (at - from));
        continue;
      }
      one.resize(step);
      PackPanels(each->weight->source, each->shape.half, panel, panel + 1, one.data());
      std::memcpy(out + (begin - from), one.data() + (begin - at), end - begin);
    }
  }
}

void AddRecord(std::vector<uint8_t>& directory, const std::string& name, const Record& record) {
  const size_t at = directory.size();
  directory.resize(at + WholeBlocks(sizeof record + name.size()));
  std::memcpy(directory.data() + at, &record, sizeof record);
  std::memcpy(directory.data() + at + sizeof record, name.data(), name.size());
}

}  // namespace

std::shared_ptr<const PanelFile> PanelFile::Make(const fs::path& folder, const std::vector<NamedSource>& weights,
                                                 size_t threads, const Progress& progress) {
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (failed) throw std::system_error(failed, "mkdir");
  PartFile::Sweep(folder);
  const std::vector<Placed> placed = Place(weights, threads);
  const size_t bytes = placed.empty() ? 0 : WholeBlocks(placed.back().end());
  const fs::space_info room = fs::space(folder, failed);
  if (!failed && room.available < 2 * bytes) throw std::runtime_error("the disk would be nearly full");
  PartFile part(folder, kName);
  PieceDigests digests(bytes);
  std::atomic<size_t> done{0};
  const std::thread::id here = std::this_thread::get_id();
  InThreads(Pieces(bytes), threads, [&](size_t piece) {
    const size_t from = piece * kPiece, to = std::min(from + kPiece, bytes);
    std::vector<uint8_t> data(to - from);
    Fill(placed, from, to, data.data());
    digests.Set(piece, data.data(), data.size());
    part.Write(data.data(), data.size(), from);
    done += data.size();
    if (std::this_thread::get_id() == here) progress(done, bytes);
  });
  std::vector<uint8_t> directory;
  for (const auto& [weight, shape, offset] : placed)
    AddRecord(directory, weight->name, {shape.rows, shape.groups, offset, static_cast<uint32_t>(shape.bits), shape.half, weight->name.size()});
  Trailer trailer{};
  trailer.panel_bytes = bytes;
  trailer.panel_digest = digests.All();
  trailer.directory_bytes = directory.size();
  trailer.directory_digest = DigestOf(directory.data(), directory.size());
  std::memcpy(trailer.magic, kMagic, sizeof kMagic);
  part.Write(directory.data(), directory.size(), bytes);
  part.Write(&trailer, sizeof trailer, bytes + directory.size());
  auto made = Map(part.number());
  part.Finish();
  return made;
}

std::shared_ptr<const PanelFile> PanelFile::Open(const fs::path& folder, size_t threads) {
  const File file(open((folder / kName).c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info;
  if (file.number < 0 || fstat(file.number, &info) != 0) return nullptr;
  const auto opened = Map(file.number);
  if (opened == nullptr) return nullptr;
  const Stamp stamp = StampOf(info);
  if (WasSeen(folder, stamp)) return opened;
  if (!opened->IsWhole(threads)) return nullptr;
  // What was found whole in memory must be on the disk as well before anybody relies on it without looking. Whoever made the file
  // didn't wait for the disk.
  if (fsync(file.number) == 0) Remember(folder, stamp);
  return opened;
}

std::shared_ptr<PanelFile> PanelFile::Map(int number) {
  struct stat info;
  if (fstat(number, &info) != 0 || info.st_size < static_cast<off_t>(sizeof(Trailer))) return nullptr;
  const auto bytes = static_cast<size_t>(info.st_size);
  // Nobody writes to it, and some file systems in user space or of a host's map nothing that is shared.
  void* const data = mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, number, 0);
  if (data == MAP_FAILED) return nullptr;
#ifdef __linux__
  // With small pages, looking up addresses costs as much as reading; and what isn't in memory comes in larger pieces.
  if (bytes >= kHugePage) madvise(data, bytes, MADV_HUGEPAGE);
#endif
  std::shared_ptr<PanelFile> mapped(new PanelFile(static_cast<const uint8_t*>(data), bytes));
  return mapped->ReadDirectory() ? mapped : nullptr;
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

bool PanelFile::IsWhole(size_t threads) const {
  PieceDigests digests(panel_bytes_);
  InThreads(Pieces(panel_bytes_), threads, [&](size_t piece) {
    const size_t from = piece * kPiece;
    digests.Set(piece, data_ + from, std::min(kPiece, panel_bytes_ - from));
  });
  return digests.All() == digest_;
}

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

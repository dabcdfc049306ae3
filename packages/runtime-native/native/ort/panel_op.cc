#include "ort/panel_op.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "ort/custom_op.h"
#include "ort/in_parts.h"
#include "ort/n_bits.h"

namespace llm::ort {

namespace {

using kernels::Activations;
using kernels::kGroup;
using kernels::Panels;

constexpr int kFailed = 1;

// Fewer multiplications than this are not worth waking another thread,
constexpr size_t kWorthThreads = size_t{1} << 17;
// and fewer than this not a part of their own.
constexpr size_t kWorthPart = size_t{1} << 13;
// Work is cut in more parts than there are threads, so that one that is held up leaves its share to the others.
constexpr size_t kPartsOfThread = 4;
constexpr size_t kLeastParts = 24;

const float* Floats(const Api& api, const Value* value) {
  void* data = nullptr;
  api.Check(api.tensor_data(const_cast<Value*>(value), &data));
  return static_cast<const float*>(data);
}

}  // namespace

class PanelKernel {
 public:
  PanelKernel(const PanelOps& ops, const KernelInfo* info) : ops_(ops), api_(ops.api()) {
    rows_ = Attribute(info, "N");
    columns_ = Attribute(info, "K");
    bits_ = static_cast<int>(Attribute(info, "bits"));
    kernel_ = kernels::FindKernel(bits_);
    const size_t groups = (columns_ + kGroup - 1) / kGroup;
    const Value* const codes = Constant(info, kCodes, rows_ * groups * kGroup * static_cast<size_t>(bits_) / 8);
    const Value* const scales = Constant(info, kScales, rows_ * groups);
    if (kernel_ == nullptr || codes == nullptr || scales == nullptr)
      throw std::runtime_error("takes weights that are there when the model is loaded");
    weight_ = {NameOf(info, kCodes), {reinterpret_cast<const uint8_t*>(Floats(api_, codes)), Floats(api_, scales), rows_, groups, bits_}};
  }

  // What it multiplies by, as the model has it.
  const kernels::NamedSource& weight() const { return weight_; }

  // Multiplies by what lies in a file in order; before the first step.
  void Use(std::shared_ptr<const kernels::PanelFile> file) {
    panels_ = std::make_unique<const Panels>(file->At(weight_.name));
    file_ = std::move(file);
  }

  void Compute(KernelContext* context) {
    const Value* const input = In(context, kX);
    std::vector<int64_t> shape = ShapeOf(input);
    if (shape.empty() || shape.back() != static_cast<int64_t>(columns_))
      throw std::runtime_error("rows of " + std::to_string(columns_) + " values are multiplied by this weight");
    shape.back() = static_cast<int64_t>(rows_);
    const size_t count = Elements(shape) / rows_;
    Value* output = nullptr;
    api_.Check(api_.kernel_output(context, 0, shape.data(), shape.size(), &output));
    if (count == 0) return;
    const float* const x = Floats(api_, input);
    auto* const out = const_cast<float*>(Floats(api_, output));
    const float* const bias = Bias(context);
    const Panels& panels = Packed(context);

    Activations rounded(count, columns_);
    InParts(api_, context, Parts(count * columns_ * 4, count), [&](size_t part, size_t parts) {
      const Range range = Part(part, parts, count);
      for (size_t row = range.from; row < range.to; row++) kernel_->round(rounded, row, x + row * columns_);
    });
    // Where there are fewer panels than parts, a long prompt's rows are shared out as well.
    const size_t tiles = (count + kernel_->tile - 1) / kernel_->tile;
    const size_t wanted = Parts(count * rows_ * columns_, panels.count() * tiles);
    const size_t across = std::min(wanted, panels.count());
    const size_t down = std::min(tiles, (wanted + across - 1) / across);
    InParts(api_, context, across * down, [&](size_t part, size_t) {
      const Range panel = Part(part % across, across, panels.count());
      const Range tile = Part(part / across, down, tiles);
      const kernels::Block block{panel.from, panel.to, tile.from * kernel_->tile, std::min(count, tile.to * kernel_->tile)};
      kernel_->multiply(rounded, panels, block, bias, out, rows_);
    });
  }

 private:
  size_t Attribute(const KernelInfo* info, const char* name) const {
    int64_t value = 0;
    api_.Check(api_.attribute(info, name, &value));
    if (value <= 0 || value > std::numeric_limits<int32_t>::max()) throw std::runtime_error(std::string(name) + " makes no sense");
    return static_cast<size_t>(value);
  }

  // Null for an input that is computed, or hasn't as many elements.
  const Value* Constant(const KernelInfo* info, size_t index, size_t elements) const {
    int constant = 0;
    const Value* value = nullptr;
    api_.Check(api_.constant_input(info, index, &constant, &value));
    return constant != 0 && Elements(ShapeOf(value)) == elements ? value : nullptr;
  }

  std::string NameOf(const KernelInfo* info, size_t index) const {
    size_t size = 0;  // with the zero at its end
    api_.Check(api_.kernel_input_name(info, index, nullptr, &size));
    std::string name(size, '\0');
    api_.Check(api_.kernel_input_name(info, index, name.data(), &size));
    name.resize(size - 1);
    return name;
  }

  // Null for one that is absent.
  const Value* In(const KernelContext* context, size_t index) const {
    size_t count = 0;
    api_.Check(api_.kernel_inputs(context, &count));
    const Value* value = nullptr;
    if (index < count) api_.Check(api_.kernel_input(context, index, &value));
    return value;
  }

  std::vector<int64_t> ShapeOf(const Value* value) const {
    TensorInfo* raw = nullptr;
    api_.Check(api_.tensor_of_value(value, &raw));
    const std::unique_ptr<TensorInfo, void (*)(TensorInfo*)> info(raw, api_.release_tensor);
    size_t rank = 0;
    api_.Check(api_.rank(raw, &rank));
    std::vector<int64_t> shape(rank);
    api_.Check(api_.dimensions(raw, shape.data(), rank));
    return shape;
  }

  static size_t Elements(const std::vector<int64_t>& shape) {
    size_t count = 1;
    for (const int64_t size : shape) count *= static_cast<size_t>(size);
    return count;
  }

  // Null where there is none.
  const float* Bias(const KernelContext* context) const {
    const Value* const bias = In(context, kBias);
    if (bias == nullptr) return nullptr;
    if (Elements(ShapeOf(bias)) != rows_) throw std::runtime_error("the bias has another length than the weight");
    return Floats(api_, bias);
  }

  size_t Parts(size_t work, size_t most) const {
    return work < kWorthThreads ? 1 : std::min({most, ops_.parts(), work / kWorthPart});
  }

  // Where there is no file: put in order at first use, when there are threads to share the work.
  const Panels& Packed(KernelContext* context) {
    const std::lock_guard<std::mutex> lock(packing_);
    if (panels_ == nullptr) {
      const kernels::Source& source = weight_.source;
      std::atomic<bool> half{true};
      InParts(api_, context, Parts(rows_ * columns_, rows_), [&](size_t part, size_t parts) {
        const Range range = Part(part, parts, rows_ * source.groups);
        if (!kernels::FitHalf(source.scales + range.from, range.to - range.from)) half = false;
      });
      auto made = std::make_unique<Panels>(kernels::PanelShape{rows_, source.groups, bits_, half});
      InParts(api_, context, Parts(rows_ * columns_, made->count()), [&](size_t part, size_t parts) {
        const Range range = Part(part, parts, made->count());
        made->Fill(source, range.from, range.to);
      });
      panels_ = std::move(made);
    }
    return *panels_;
  }

  const PanelOps& ops_;
  const Api& api_;
  size_t rows_ = 0;
  size_t columns_ = 0;
  int bits_ = 0;
  const kernels::Kernel* kernel_ = nullptr;
  kernels::NamedSource weight_;
  std::shared_ptr<const kernels::PanelFile> file_;
  std::mutex packing_;
  std::unique_ptr<const Panels> panels_;
};

namespace {

template <typename Work>
Status* Guarded(const Api& api, const Work& work) {
  try {
    work();
    return nullptr;
  } catch (const std::exception& error) {
    return api.create_status(kFailed, error.what());
  }
}

const PanelOps& OpsOf(const CustomOp* op) { return *static_cast<const PanelOp*>(op)->ops; }

// What the runtime holds of a kernel.
struct Instance {
  Instance(const PanelOps& of, const KernelInfo* info) : ops(of), kernel(of, info) { ops.Join(&kernel); }
  ~Instance() { ops.Leave(&kernel); }
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  const PanelOps& ops;
  PanelKernel kernel;
};

PanelOp Describe(const PanelOps& ops) {
  PanelOp op{};
  op.version = kCustomOpVersion;
  op.ops = &ops;
  op.name = [](const CustomOp*) { return kPanels; };
  op.provider = [](const CustomOp*) -> const char* { return nullptr; };
  op.input_type = [](const CustomOp*, size_t index) { return index == kX || index == kScales || index == kBias ? kFloat : kAnyType; };
  op.input_count = [](const CustomOp*) -> size_t { return kInputs; };
  op.output_type = [](const CustomOp*, size_t) { return kFloat; };
  op.output_count = [](const CustomOp*) -> size_t { return 1; };
  op.input_presence = [](const CustomOp*, size_t index) { return index > kScales ? kOptional : kRequired; };
  op.output_presence = [](const CustomOp*, size_t) { return kRequired; };
  op.input_memory = [](const CustomOp*, size_t) { return 0; };
  op.least_inputs = [](const CustomOp*) { return 1; };
  op.inputs_alike = [](const CustomOp*) { return 0; };
  op.least_outputs = [](const CustomOp*) { return 1; };
  op.outputs_alike = [](const CustomOp*) { return 0; };
  op.create = [](const CustomOp* self, const void*, const KernelInfo* info, void** kernel) {
    return Guarded(OpsOf(self).api(), [&] { *kernel = new Instance(OpsOf(self), info); });
  };
  op.compute = [](void* kernel, KernelContext* context) {
    auto& instance = *static_cast<Instance*>(kernel);
    return Guarded(instance.ops.api(), [&] { instance.kernel.Compute(context); });
  };
  op.destroy = [](void* kernel) { delete static_cast<Instance*>(kernel); };
  return op;
}

}  // namespace

bool HavePanelKernel() { return kernels::FindKernel(4) != nullptr && kernels::FindKernel(8) != nullptr; }

PanelOps::PanelOps(const Api& api, int threads)
    : api_(api), threads_(threads > 0 ? static_cast<size_t>(threads) : std::max(1u, std::thread::hardware_concurrency())),
      parts_(std::max(kLeastParts, kPartsOfThread * threads_)), op_(std::make_unique<PanelOp>(Describe(*this))) {
  api.Check(api.create_op_domain(kDomain, &domain_));
  try {
    api.Check(api.add_op(domain_, op_.get()));
  } catch (...) {
    api.release_op_domain(domain_);
    throw;
  }
}

PanelOps::~PanelOps() { api_.release_op_domain(domain_); }

void PanelOps::AddTo(SessionOptions* options) const { api_.Check(api_.add_op_domain(options, domain_)); }

void PanelOps::Join(PanelKernel* kernel) const { kernels_.push_back(kernel); }

void PanelOps::Leave(PanelKernel* kernel) const {
  kernels_.erase(std::remove(kernels_.begin(), kernels_.end(), kernel), kernels_.end());
}

void PanelOps::Keep(const std::filesystem::path& folder, const kernels::PanelFile::Progress& progress) const {
  std::map<std::string, kernels::NamedSource> weights;  // several nodes may multiply by the same
  for (const PanelKernel* kernel : kernels_) weights.emplace(kernel->weight().name, kernel->weight());
  auto file = kernels::PanelFile::Open(folder, threads_);
  const auto lacks = [&](const auto& one) { return !file->Has(one.second); };
  if (file == nullptr || std::any_of(weights.begin(), weights.end(), lacks)) {
    std::vector<kernels::NamedSource> all;
    for (const auto& [name, weight] : weights) all.push_back(weight);
    file = kernels::PanelFile::Make(folder, all, threads_, progress);
  }
  if (file == nullptr) throw std::runtime_error("what was written can't be mapped");
  for (PanelKernel* kernel : kernels_) kernel->Use(file);
}

}  // namespace llm::ort

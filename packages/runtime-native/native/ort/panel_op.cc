#include "ort/panel_op.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "kernels/panel_file.h"
#include "ort/custom_op.h"
#include "ort/hand_over.h"

namespace llm::ort {

namespace {

using kernels::Activations;
using kernels::kGroup;
using kernels::Panels;

constexpr const char* kDomain = "com.microsoft";
constexpr int kFailed = 1;
enum Input : size_t { kX, kCodes, kScales, kZeros, kOrder, kBias, kInputs };

// Fewer multiplications than this are not worth waking another thread.
constexpr size_t kWorthThreads = size_t{1} << 17;
// Parts of the work: more than threads, so that one that is held up leaves its share to the others.
constexpr size_t kParts = 24;


// Runs task(part, parts) for all parts, on the threads of the session where that pays.
template <typename Task>
void InParts(const Api& api, KernelContext* context, size_t parts, const Task& task) {
  if (parts <= 1) return task(0, 1);
  struct Shared {
    const Task& task;
    size_t parts;
  } shared{task, parts};
  HandOver(&shared);
  api.Check(api.parallel_for(
      context,
      [](void* data, size_t index) {
        TakeOver(data);
        const auto& all = *static_cast<const Shared*>(data);
        all.task(index, all.parts);
        HandOver(data);
      },
      parts, parts, &shared));
  TakeOver(&shared);
}

struct Range {
  size_t from;
  size_t to;
};

Range Part(size_t part, size_t parts, size_t of) { return {part * of / parts, (part + 1) * of / parts}; }

const float* Floats(const Api& api, const Value* value) {
  void* data = nullptr;
  api.Check(api.tensor_data(const_cast<Value*>(value), &data));
  return static_cast<const float*>(data);
}

}  // namespace

class PanelKernel {
 public:
  PanelKernel(const Api& api, const KernelInfo* info) : api_(api) {
    rows_ = Attribute(info, "N");
    columns_ = Attribute(info, "K");
    bits_ = static_cast<int>(Attribute(info, "bits"));
    exact_ = Attribute(info, "accuracy_level") == 0;
    kernel_ = kernels::FindKernel(bits_);
    const Value* const codes = Constant(info, kCodes);
    const Value* const scales = Constant(info, kScales);
    if (kernel_ == nullptr || Attribute(info, "block_size") != kGroup || codes == nullptr || scales == nullptr ||
        Constant(info, kZeros) != nullptr)
      throw std::runtime_error("takes constant, symmetric weights in groups of 32");
    const size_t groups = (columns_ + kGroup - 1) / kGroup;
    weight_ = {NameOf(info, kCodes), {reinterpret_cast<const uint8_t*>(Floats(api_, codes)), Floats(api_, scales), rows_, groups, bits_}};
  }

  // What it multiplies by, as the model has it.
  const kernels::NamedSource& weight() const { return weight_; }
  // Whether activations are left as they are, and so the weight, too.
  bool exact() const { return exact_; }

  // Multiplies by what lies in a file in order; before the first step.
  void Use(std::shared_ptr<const kernels::PanelFile> file) {
    panels_ = std::make_unique<const Panels>(file->At(weight_.name));
    file_ = std::move(file);
  }

  void Compute(KernelContext* context) {
    const Value* const input = In(context, kX);
    std::vector<int64_t> shape = ShapeOf(input);
    shape.back() = static_cast<int64_t>(rows_);
    size_t count = 1;
    for (size_t axis = 0; axis + 1 < shape.size(); axis++) count *= static_cast<size_t>(shape[axis]);
    Value* output = nullptr;
    api_.Check(api_.kernel_output(context, 0, shape.data(), shape.size(), &output));
    if (count == 0) return;
    const float* const x = Floats(api_, input);
    auto* const out = const_cast<float*>(Floats(api_, output));
    const Value* const bias = In(context, kBias);
    const float* const added = bias == nullptr ? nullptr : Floats(api_, bias);
    if (exact_) return Exact(x, count, added, out);
    const Panels& panels = Packed(context);

    Activations rounded(count, columns_);
    InParts(api_, context, Parts(count * columns_ * 4, count), [&](size_t part, size_t parts) {
      const Range range = Part(part, parts, count);
      for (size_t row = range.from; row < range.to; row++) kernel_->round(rounded, row, x + row * columns_);
    });
    InParts(api_, context, Parts(count * rows_ * columns_, panels.count()), [&](size_t part, size_t parts) {
      const Range range = Part(part, parts, panels.count());
      kernel_->multiply(rounded, panels, range.from, range.to, added, out, rows_);
    });
  }

 private:
  size_t Attribute(const KernelInfo* info, const char* name) const {
    int64_t value = 0;
    api_.Check(api_.attribute(info, name, &value));
    return static_cast<size_t>(value);
  }

  // Null for an input that isn't there or is computed.
  const Value* Constant(const KernelInfo* info, size_t index) const {
    int constant = 0;
    const Value* value = nullptr;
    // An input that isn't there is an error to some versions, and not constant to others.
    Status* const status = api_.constant_input(info, index, &constant, &value);
    if (status != nullptr) api_.release_status(status);
    return status == nullptr && constant != 0 ? value : nullptr;
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

  static size_t Parts(size_t work, size_t most) { return work < kWorthThreads ? 1 : std::min(most, kParts); }

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

  // Activations as they are: what the weights alone are checked by, in plain loops.
  void Exact(const float* x, size_t count, const float* bias, float* out) const {
    const auto& [codes, scales, rows, groups, bits] = weight_.source;
    const int middle = 1 << (bits - 1);
    std::vector<float> row(columns_);
    for (size_t r = 0; r < rows; r++) {
      const uint8_t* const in = codes + r * groups * kGroup * static_cast<size_t>(bits) / 8;
      for (size_t c = 0; c < columns_; c++) {
        const int code = bits == 8 ? in[c] : (in[c / 2] >> (4 * (c % 2))) & 15;
        row[c] = static_cast<float>(code - middle) * scales[r * groups + c / kGroup];
      }
      for (size_t m = 0; m < count; m++) {
        float sum = bias == nullptr ? 0 : bias[r];
        for (size_t c = 0; c < columns_; c++) sum += row[c] * x[m * columns_ + c];
        out[m * rows + r] = sum;
      }
    }
  }

  const Api& api_;
  size_t rows_ = 0;
  size_t columns_ = 0;
  int bits_ = 0;
  bool exact_ = false;
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
  Instance(const PanelOps& of, const KernelInfo* info) : ops(of), kernel(of.api(), info) { ops.Join(&kernel); }
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

PanelOps::PanelOps(const Api& api) : api_(api), op_(std::make_unique<PanelOp>(Describe(*this))) {
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

void PanelOps::Keep(const std::filesystem::path& folder) const {
  std::map<std::string, kernels::NamedSource> weights;  // several nodes may multiply by the same
  for (const PanelKernel* kernel : kernels_)
    if (!kernel->exact()) weights.emplace(kernel->weight().name, kernel->weight());
  if (weights.empty()) return;
  const auto open = [&] {
    auto file = kernels::PanelFile::Open(folder);
    const auto lacks = [&](const auto& one) { return !file->Has(one.second); };
    return file != nullptr && std::none_of(weights.begin(), weights.end(), lacks) ? file : nullptr;
  };
  auto file = open();
  if (file == nullptr) {
    std::vector<kernels::NamedSource> all;
    for (const auto& [name, weight] : weights) all.push_back(weight);
    kernels::PanelFile::Write(folder, all);
    file = open();
  }
  if (file == nullptr) return;
  for (PanelKernel* kernel : kernels_)
    if (!kernel->exact()) kernel->Use(file);
}

std::string WithPanelOps(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::string model{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  const size_t length = std::strlen(kNBits);
  size_t found = 0;
  for (size_t at = 0; (at = model.find(kNBits, at)) != std::string::npos; at += length, found++)
    model.replace(at, length, kPanels);
  return found > 0 ? model : std::string();
}

}  // namespace llm::ort

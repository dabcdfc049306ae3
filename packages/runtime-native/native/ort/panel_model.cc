#include "ort/panel_model.h"

#include <cstring>
#include <string_view>
#include <unordered_map>

#include "kernels/panels.h"
#include "ort/n_bits.h"
#include "ort/protobuf.h"

#ifdef _WIN32
#include <fstream>
#include <iterator>
#else
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace llm::ort {

namespace {

// ONNX's numbers of the fields that are looked at, by the messages that they are of.
constexpr uint32_t kModelGraph = 7;
constexpr uint32_t kGraphNode = 1, kGraphInitializer = 5, kGraphInput = 11;
constexpr uint32_t kNodeInput = 1, kNodeType = 4, kNodeAttribute = 5, kNodeDomain = 7;
constexpr uint32_t kAttributeName = 1, kAttributeInt = 3, kAttributeType = 20;
constexpr uint32_t kTensorType = 2, kTensorName = 8;
constexpr uint32_t kPortName = 1;
constexpr uint64_t kIntAttribute = 2, kFloats = 1, kUnsignedBytes = 2;

// The types of a graph's weights, by name.
using Weights = std::unordered_map<std::string_view, uint64_t>;

Weights WeightsOf(Bytes graph) {
  Weights weights;
  Field field;
  for (Fields fields(graph); fields.Next(field);) {
    if (field.number != kGraphInitializer) continue;
    std::string_view name;
    uint64_t type = 0;
    Field part;
    for (Fields parts(field.bytes); parts.Next(part);) {
      if (part.number == kTensorType) type = part.value;
      if (part.number == kTensorName) name = part.bytes.text();
    }
    weights[name] = type;
  }
  // One that is an input as well is only a default, which a caller may give something else for.
  for (Fields fields(graph); fields.Next(field);) {
    if (field.number != kGraphInput) continue;
    Field part;
    for (Fields parts(field.bytes); parts.Next(part);)
      if (part.number == kPortName) weights.erase(part.bytes.text());
  }
  return weights;
}

// What a node of MatMulNBits says of itself.
struct Product {
  uint64_t bits = 0;
  uint64_t group = 0;
  uint64_t accuracy = 0;
  bool known = true;  // whether it says nothing else
};

void Read(Bytes attribute, Product& product) {
  std::string_view name;
  uint64_t value = 0;
  uint64_t type = 0;
  Field field;
  for (Fields fields(attribute); fields.Next(field);) {
    if (field.number == kAttributeName) name = field.bytes.text();
    if (field.number == kAttributeInt) value = field.value;
    if (field.number == kAttributeType) type = field.value;
  }
  if (type != kIntAttribute) product.known = false;
  if (name == "bits") product.bits = value;
  else if (name == "block_size") product.group = value;
  else if (name == "accuracy_level") product.accuracy = value;
  else if (name != "K" && name != "N") product.known = false;
}

// Renames a node that is for ours: symmetric weights in groups of 32, in the order of the file, activations in 8 bits.
bool Rename(Bytes node, const Weights& weights) {
  std::vector<std::string_view> inputs;
  Bytes type;
  std::string_view domain;
  Product product;
  Field field;
  for (Fields fields(node); fields.Next(field);) {
    if (field.number == kNodeInput) inputs.push_back(field.bytes.text());
    if (field.number == kNodeType) type = field.bytes;
    if (field.number == kNodeDomain) domain = field.bytes.text();
    if (field.number == kNodeAttribute) Read(field.bytes, product);
  }
  if (type.text() != kNBits || domain != kDomain) return false;
  const auto given = [&](size_t input) { return input < inputs.size() && !inputs[input].empty(); };
  const auto is = [&](size_t input, uint64_t kind) {
    if (!given(input)) return false;
    const auto found = weights.find(inputs[input]);
    return found != weights.end() && found->second == kind;
  };
  if (!product.known || product.group != kernels::kGroup || product.accuracy != kEightBitActivations || product.bits > 8 ||
      kernels::FindKernel(static_cast<int>(product.bits)) == nullptr || !is(kCodes, kUnsignedBytes) ||
      !is(kScales, kFloats) || given(kZeros) || given(kOrder) || inputs.size() > kInputs)
    return false;
  std::memcpy(type.data, kPanels, type.size);
  return true;
}

bool RenameNodes(Bytes model) {
  bool any = false;
  Field graph;
  for (Fields fields(model); fields.Next(graph);) {
    if (graph.number != kModelGraph) continue;
    const Weights weights = WeightsOf(graph.bytes);
    Field node;
    for (Fields nodes(graph.bytes); nodes.Next(node);)
      if (node.number == kGraphNode && Rename(node.bytes, weights)) any = true;
  }
  return any;
}

}  // namespace

std::unique_ptr<const PanelModel> PanelModel::Of(const std::filesystem::path& file) {
  std::unique_ptr<PanelModel> model(new PanelModel);
  try {
    if (model->Load(file) && RenameNodes({model->data_, model->size_})) return model;
  } catch (const std::exception&) {
    // Not a model; the runtime knows better what is wrong with it.
  }
  return nullptr;
}

#ifdef _WIN32

bool PanelModel::Load(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  own_.assign(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
  data_ = own_.data();
  size_ = own_.size();
  return size_ > 0;
}

PanelModel::~PanelModel() = default;

#else

// Mapped for this process alone: names are written over, and only the pages that they are on become its own.
bool PanelModel::Load(const std::filesystem::path& file) {
  const int number = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (number < 0) return false;
  struct stat info;
  void* data = MAP_FAILED;
  if (fstat(number, &info) == 0 && info.st_size > 0)
    data = mmap(nullptr, static_cast<size_t>(info.st_size), PROT_READ | PROT_WRITE, MAP_PRIVATE, number, 0);
  close(number);
  if (data == MAP_FAILED) return false;
  data_ = static_cast<uint8_t*>(data);
  size_ = static_cast<size_t>(info.st_size);
  return true;
}

PanelModel::~PanelModel() {
  if (data_ != nullptr) munmap(data_, size_);
}

#endif

}  // namespace llm::ort

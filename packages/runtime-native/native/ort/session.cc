#include "ort/session.h"

#include <memory>
#include <string>

#include "ort/panel_model.h"
#include "ort/threads.h"

namespace llm::ort {

namespace {

constexpr int kFatalOnly = 4;
constexpr int kAllOptimizations = 99;
// What is computed in between lies where the library's own allocator puts it.
constexpr const char* kLibraryAllocator = "session.use_env_allocators";
// Where the weights' files of a model are that comes as bytes.
constexpr const char* kExternalFolder = "session.model_external_initializers_file_folder_path";

}  // namespace

Session::Session(const Library& library, const std::filesystem::path& file, const Options& options) : library_(library) {
  const Api& api = library.api();
  if (!CreateWithPanels(file, options)) {
    const std::unique_ptr<SessionOptions, void (*)(SessionOptions*)> plain(Settings(options), api.release_options);
    api.Check(api.create_session(library.env(), file.c_str(), plain.get(), &session_));
  }
  try {
    inputs_ = Ports(false);
    outputs_ = Ports(true);
  } catch (...) {
    api.release_session(session_);
    throw;
  }
  for (const Port& port : inputs_) input_names_.push_back(port.name.c_str());
}

SessionOptions* Session::Settings(const Options& options) const {
  const Api& api = library_.api();
  SessionOptions* raw = nullptr;
  api.Check(api.create_session_options(&raw));
  std::unique_ptr<SessionOptions, void (*)(SessionOptions*)> settings(raw, api.release_options);
  api.Check(api.set_log_severity(raw, kFatalOnly));
  api.Check(api.set_optimization_level(raw, kAllOptimizations));
  if (options.arena) {
    api.Check(api.enable_arena(raw));
  } else {
    api.Check(api.disable_arena(raw));
    // One piece for all values of a run, laid out as the run before had them, is no faster than pieces of the region, and what
    // experts get is never as long as it was: their rows would lie beside the room for them.
    api.Check(api.disable_pattern(raw));
    api.Check(api.add_config(raw, kLibraryAllocator, "1"));
  }
  if (options.threads > 0) api.Check(api.set_threads(raw, options.threads));
  MakeThreads(api, raw);
  for (const auto& [key, value] : options.config) api.Check(api.add_config(raw, key.c_str(), value.c_str()));
  return settings.release();
}

bool Session::CreateWithPanels(const std::filesystem::path& file, const Options& options) {
  const auto model = options.kernels && HavePanelKernel() ? PanelModel::Of(file) : nullptr;
  if (model == nullptr) return false;
  const Api& api = library_.api();
  const std::unique_ptr<SessionOptions, void (*)(SessionOptions*)> settings(Settings(options), api.release_options);
  ops_ = std::make_unique<const PanelOps>(api, options.threads);
  ops_->AddTo(settings.get());
  api.Check(api.add_config(settings.get(), kExternalFolder, file.parent_path().u8string().c_str()));
  Status* const status =
      api.create_session_from_memory(library_.env(), model->data(), model->size(), settings.get(), &session_);
  if (status == nullptr) {
    if (!options.panels.empty()) KeepPanels(options);
    return true;
  }
  // Some weights are not for ours, or the file is broken: then it is the runtime's to say so.
  api.release_status(status);
  ops_.reset();
  return false;
}

void Session::KeepPanels(const Options& options) {
  try {
    ops_->Keep(options.panels, options.progress);
  } catch (const std::exception& error) {
    // A full disk, a folder that can't be written to: the weights are put in order in memory.
    unkept_ = error.what();
  }
}

Session::~Session() { library_.api().release_session(session_); }

std::vector<Port> Session::Ports(bool outputs) const {
  const Api& api = library_.api();
  size_t count = 0;
  api.Check((outputs ? api.output_count : api.input_count)(session_, &count));
  std::vector<Port> ports(count);
  for (size_t i = 0; i < count; i++) {
    char* name = nullptr;
    api.Check((outputs ? api.output_name : api.input_name)(session_, i, library_.allocator(), &name));
    ports[i].name = name;
    api.Check(api.free(library_.allocator(), name));

    TypeInfo* raw = nullptr;
    api.Check((outputs ? api.output_type : api.input_type)(session_, i, &raw));
    const std::unique_ptr<TypeInfo, void (*)(TypeInfo*)> type(raw, api.release_type);
    const TensorInfo* tensor = nullptr;
    api.Check(api.tensor_of_type(raw, &tensor));
    if (tensor == nullptr) continue;  // a sequence or a map: its type stays 0, which is none
    size_t rank = 0;
    api.Check(api.element_type(tensor, &ports[i].type));
    api.Check(api.rank(tensor, &rank));
    ports[i].shape.resize(rank);
    std::vector<const char*> symbols(rank);
    api.Check(api.dimensions(tensor, ports[i].shape.data(), rank));
    api.Check(api.symbols(tensor, symbols.data(), rank));
    ports[i].symbols.assign(symbols.begin(), symbols.end());
  }
  return ports;
}

void Session::Run(const std::vector<const Value*>& inputs, const std::vector<size_t>& wanted,
                  std::vector<Value*>& outputs) const {
  const Api& api = library_.api();
  std::vector<const char*> names;
  names.reserve(wanted.size());
  for (const size_t index : wanted) names.push_back(outputs_[index].name.c_str());
  api.Check(api.run(session_, nullptr, input_names_.data(), inputs.data(), inputs.size(), names.data(), names.size(),
                    outputs.data()));
}

}  // namespace llm::ort

#include "bmrt/bindings.h"

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "bmrt/commands.h"
#include "bmrt/simulator.h"

namespace llm::bmrt {

namespace {

// Devices as JavaScript holds them: closing lets go of them, but what is under way keeps them until it ends.
struct Opened {
  explicit Opened(const Library& of) : library(of) {}
  const Library& library;
  std::mutex mutex;  // one call at a time, whichever thread it comes from
  Devices devices;
};

struct OpenedHandle {
  std::shared_ptr<Opened> opened;
};

// Work on another thread, then an answer made of what came of it.
class Worker : public Napi::AsyncWorker {
 public:
  using Answer = std::function<Napi::Value(Napi::Env)>;

  static Napi::Value Start(Napi::Env env, std::function<Answer()> work) {
    auto* const worker = new Worker(env, std::move(work));
    const Napi::Promise promise = worker->deferred_.Promise();
    worker->Queue();
    return promise;
  }

  void Execute() override {
    try {
      answer_ = work_();
    } catch (const VendorError& error) {
      call_ = error.call();
      status_ = error.status();
      SetError(error.what());
    }
  }

  void OnOK() override { deferred_.Resolve(answer_(Env())); }

  void OnError(const Napi::Error& error) override {
    const Napi::Object value = error.Value();
    if (!call_.empty()) {
      value.Set("call", Napi::String::New(Env(), call_));
      value.Set("status", Napi::Number::New(Env(), status_));
    }
    deferred_.Reject(value);
  }

 private:
  Worker(Napi::Env env, std::function<Answer()> work)
      : AsyncWorker(env), deferred_(Napi::Promise::Deferred::New(env)), work_(std::move(work)) {}

  Napi::Promise::Deferred deferred_;
  std::function<Answer()> work_;
  Answer answer_;
  std::string call_;
  int status_ = 0;
};

Napi::Value Nothing(Napi::Env env) { return env.Undefined(); }

std::shared_ptr<Opened> OpenedOf(const Napi::CallbackInfo& info) {
  auto opened = info[0].As<Napi::External<OpenedHandle>>().Data()->opened;
  if (opened == nullptr) throw Napi::Error::New(info.Env(), "the devices are closed");
  return opened;
}

int Int(const Napi::Object& object, const char* name) { return object.Get(name).As<Napi::Number>().Int32Value(); }

size_t Size(const Napi::Value& value) {
  const double number = value.As<Napi::Number>().DoubleValue();
  if (!(number >= 0 && number < 9e15)) throw Napi::RangeError::New(value.Env(), "a size or place below zero");
  return static_cast<size_t>(number);
}

// [buffer, offset]
Place PlaceOf(const Napi::Value& value) {
  const auto pair = value.As<Napi::Array>();
  return {pair.Get(0u).As<Napi::Number>().Int32Value(), Size(pair.Get(1u))};
}

std::vector<Place> PlacesOf(const Napi::Value& value) {
  const auto list = value.As<Napi::Array>();
  std::vector<Place> places;
  for (uint32_t i = 0; i < list.Length(); i++) places.push_back(PlaceOf(list.Get(i)));
  return places;
}

// [{ device, at }, …]
std::vector<DevicePlace> DevicePlacesOf(const Napi::Value& value) {
  const auto list = value.As<Napi::Array>();
  std::vector<DevicePlace> places;
  for (uint32_t i = 0; i < list.Length(); i++) {
    const auto object = list.Get(i).As<Napi::Object>();
    places.push_back({Int(object, "device"), PlaceOf(object.Get("at"))});
  }
  return places;
}

codecs::Kind NumbersOf(const Napi::Value& value) {
  const std::string name = value.As<Napi::String>().Utf8Value();
  if (name == "f32") return codecs::kF32;
  if (name == "f16") return codecs::kF16;
  if (name == "bf16") return codecs::kBf16;
  throw Napi::TypeError::New(value.Env(), name + " can't be added up");
}

Command CommandOf(const Napi::Object& object) {
  const std::string kind = object.Get("do").As<Napi::String>().Utf8Value();
  Command command{};
  if (kind != "sum") command.device = Int(object, "device");
  if (kind == "write") {
    command.kind = Command::Kind::kWrite;
    command.to = PlaceOf(object.Get("to"));
    const auto data = object.Get("data").As<Napi::Uint8Array>();
    command.data.assign(data.Data(), data.Data() + data.ByteLength());
  } else if (kind == "read") {
    command.kind = Command::Kind::kRead;
    command.from = PlaceOf(object.Get("from"));
    command.bytes = Size(object.Get("bytes"));
  } else if (kind == "copy") {
    command.kind = Command::Kind::kCopy;
    command.from_device = Int(object, "fromDevice");
    command.from = PlaceOf(object.Get("from"));
    command.to = PlaceOf(object.Get("to"));
    command.bytes = Size(object.Get("bytes"));
  } else if (kind == "launch") {
    command.kind = Command::Kind::kLaunch;
    command.net = Int(object, "net");
    command.stage = Int(object, "stage");
    command.inputs = PlacesOf(object.Get("inputs"));
    command.outputs = PlacesOf(object.Get("outputs"));
  } else if (kind == "sum") {
    command.kind = Command::Kind::kSum;
    command.numbers = NumbersOf(object.Get("dtype"));
    command.bytes = Size(object.Get("bytes"));
    command.terms = DevicePlacesOf(object.Get("terms"));
    command.targets = DevicePlacesOf(object.Get("to"));
  } else {
    throw Napi::TypeError::New(object.Env(), "there is no command " + kind);
  }
  return command;
}

Napi::Value StagePorts(Napi::Env env, const std::vector<StagePort>& ports) {
  auto list = Napi::Array::New(env, ports.size());
  for (uint32_t i = 0; i < ports.size(); i++) {
    auto shape = Napi::Array::New(env, static_cast<size_t>(ports[i].shape.rank));
    for (uint32_t axis = 0; axis < shape.Length(); axis++)
      shape[axis] = Napi::Number::New(env, ports[i].shape.dims[axis]);
    auto item = Napi::Object::New(env);
    item["shape"] = shape;
    item["bytes"] = Napi::Number::New(env, static_cast<double>(ports[i].bytes));
    item["buffer"] = Napi::Number::New(env, ports[i].buffer);
    list[i] = item;
  }
  return list;
}

Napi::Value PortList(Napi::Env env, const std::vector<Port>& ports) {
  auto list = Napi::Array::New(env, ports.size());
  for (uint32_t i = 0; i < ports.size(); i++) {
    auto item = Napi::Object::New(env);
    item["name"] = Napi::String::New(env, ports[i].name);
    item["dtype"] = Napi::Number::New(env, ports[i].dtype);
    item["device"] = Napi::Number::New(env, ports[i].device);
    list[i] = item;
  }
  return list;
}

Napi::Value NetList(Napi::Env env, const std::vector<Net>& nets) {
  auto list = Napi::Array::New(env, nets.size());
  for (uint32_t i = 0; i < nets.size(); i++) {
    const Net& net = nets[i];
    auto stages = Napi::Array::New(env, net.stages.size());
    for (uint32_t s = 0; s < net.stages.size(); s++) {
      auto stage = Napi::Object::New(env);
      stage["inputs"] = StagePorts(env, net.stages[s].inputs);
      stage["outputs"] = StagePorts(env, net.stages[s].outputs);
      stages[s] = stage;
    }
    auto item = Napi::Object::New(env);
    item["name"] = Napi::String::New(env, net.name);
    item["dynamic"] = Napi::Boolean::New(env, net.dynamic);
    item["addressMode"] = Napi::Number::New(env, net.address_mode);
    item["inputs"] = PortList(env, net.inputs);
    item["outputs"] = PortList(env, net.outputs);
    item["stages"] = stages;
    list[i] = item;
  }
  return list;
}

// Work with one device.
Napi::Value WithDevice(const Napi::CallbackInfo& info, std::function<Worker::Answer(Device&)> work) {
  const int number = info[1].As<Napi::Number>().Int32Value();
  return Worker::Start(info.Env(), [opened = OpenedOf(info), number, work = std::move(work)] {
    const std::lock_guard<std::mutex> lock(opened->mutex);
    if (number < 0 || static_cast<size_t>(number) >= opened->devices.size())
      throw std::runtime_error("device " + std::to_string(number) + " was not opened");
    return work(*opened->devices[static_cast<size_t>(number)]);
  });
}

// (simulator's file) → nothing
void Rest(const Napi::CallbackInfo& info) { RestWhileWaiting(info[0].As<Napi::String>().Utf8Value()); }

// (bmlib, bmrt, devices) → Promise<{ handle, newer }>
Napi::Value Open(const Napi::CallbackInfo& info) {
  const std::string bmlib = info[0].As<Napi::String>().Utf8Value();
  const std::string bmrt = info[1].As<Napi::String>().Utf8Value();
  const auto list = info[2].As<Napi::Array>();
  std::vector<int> numbers;
  for (uint32_t i = 0; i < list.Length(); i++) numbers.push_back(list.Get(i).As<Napi::Number>().Int32Value());
  return Worker::Start(info.Env(), [bmlib, bmrt, numbers]() -> Worker::Answer {
    auto opened = std::make_shared<Opened>(Library::Load(bmlib, bmrt));
    for (const int number : numbers) opened->devices.push_back(std::make_unique<Device>(opened->library, number));
    return [opened](Napi::Env env) -> Napi::Value {
      auto result = Napi::Object::New(env);
      result["newer"] = Napi::Boolean::New(env, opened->library.newer);
      result["handle"] = Napi::External<OpenedHandle>::New(
          env, new OpenedHandle{opened}, [](Napi::Env, OpenedHandle* handle) { delete handle; });
      return result;
    };
  });
}

// (handle, device, file) → Promise<nets>
Napi::Value Load(const Napi::CallbackInfo& info) {
  const std::string file = info[2].As<Napi::String>().Utf8Value();
  return WithDevice(info, [file](Device& device) -> Worker::Answer {
    return [nets = device.Load(file)](Napi::Env env) { return NetList(env, nets); };
  });
}

// (handle, device, bytes) → Promise<buffer>
Napi::Value Allocate(const Napi::CallbackInfo& info) {
  const size_t bytes = Size(info[2]);
  return WithDevice(info, [bytes](Device& device) -> Worker::Answer {
    const int buffer = device.Allocate(bytes);
    return [buffer](Napi::Env env) -> Napi::Value { return Napi::Number::New(env, buffer); };
  });
}

// (handle, device, buffer) → Promise
Napi::Value Free(const Napi::CallbackInfo& info) {
  const int buffer = info[2].As<Napi::Number>().Int32Value();
  return WithDevice(info, [buffer](Device& device) -> Worker::Answer {
    device.Free(buffer);
    return Nothing;
  });
}

// (handle, commands) → Promise<Uint8Array[]>
Napi::Value RunCommands(const Napi::CallbackInfo& info) {
  const auto list = info[1].As<Napi::Array>();
  auto commands = std::make_shared<std::vector<Command>>();
  for (uint32_t i = 0; i < list.Length(); i++) commands->push_back(CommandOf(list.Get(i).As<Napi::Object>()));
  return Worker::Start(info.Env(), [opened = OpenedOf(info), commands]() -> Worker::Answer {
    const std::lock_guard<std::mutex> lock(opened->mutex);
    return [results = Run(opened->devices, *commands)](Napi::Env env) -> Napi::Value {
      auto answers = Napi::Array::New(env, results.size());
      for (uint32_t i = 0; i < results.size(); i++) {
        auto bytes = Napi::Uint8Array::New(env, results[i].size());
        std::copy(results[i].begin(), results[i].end(), bytes.Data());
        answers[i] = bytes;
      }
      return answers;
    };
  });
}

// (handle) → Promise, when everything is freed
Napi::Value Close(const Napi::CallbackInfo& info) {
  auto opened = std::move(info[0].As<Napi::External<OpenedHandle>>().Data()->opened);
  return Worker::Start(info.Env(), [opened]() -> Worker::Answer {
    if (opened != nullptr) {
      const std::lock_guard<std::mutex> lock(opened->mutex);
      opened->devices.clear();
    }
    return Nothing;
  });
}

}  // namespace

void Register(Napi::Env env, Napi::Object exports) {
  auto bmrt = Napi::Object::New(env);
  bmrt["restWhileWaiting"] = Napi::Function::New(env, Rest, "restWhileWaiting");
  bmrt["open"] = Napi::Function::New(env, Open, "open");
  bmrt["load"] = Napi::Function::New(env, Load, "load");
  bmrt["allocate"] = Napi::Function::New(env, Allocate, "allocate");
  bmrt["free"] = Napi::Function::New(env, Free, "free");
  bmrt["run"] = Napi::Function::New(env, RunCommands, "run");
  bmrt["close"] = Napi::Function::New(env, Close, "close");
  exports["bmrt"] = bmrt;
}

}  // namespace llm::bmrt

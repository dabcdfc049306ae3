#include "bindings.h"

#include <atomic>
#include <cstdint>
#include <initializer_list>

#include "dispatch.h"

namespace llm::codecs {

namespace {

// Values that are worth a thread's start.
constexpr size_t kGrain = 1 << 17;
constexpr size_t kConvertGrain = 1 << 18;  // what is converted alone costs little more than moving it

struct Bytes {
  uint8_t* data;
  size_t length;
};

Bytes BytesOf(const Napi::Value& value) {
  if (!value.IsTypedArray()) throw Napi::TypeError::New(value.Env(), "a typed array is wanted");
  napi_typedarray_type type;
  size_t count, offset;
  void* data;
  napi_value buffer;
  const napi_status status = napi_get_typedarray_info(value.Env(), value, &type, &count, &data, &buffer, &offset);
  if (status != napi_ok) throw Napi::Error::New(value.Env());
  return {static_cast<uint8_t*>(data), value.As<Napi::TypedArray>().ByteLength()};
}

// An array of at least `bytes`: everything the loops touch is checked here.
uint8_t* Checked(const Napi::Value& value, size_t bytes, const char* name) {
  const Bytes array = BytesOf(value);
  if (array.length < bytes)
    throw Napi::RangeError::New(value.Env(), std::string(name) + " is shorter than the work asked for");
  return array.data;
}

// A product of sizes. One that has no room in a size_t would look like a small one to the checks above.
size_t Product(Napi::Env env, std::initializer_list<size_t> factors) {
  size_t product = 1;
  for (const size_t factor : factors) {
    if (factor != 0 && product > SIZE_MAX / factor) throw Napi::RangeError::New(env, "there are no arrays of such sizes");
    product *= factor;
  }
  return product;
}

template <typename T>
T* CheckedAs(const Napi::Value& value, size_t count, const char* name) {
  uint8_t* data = Checked(value, Product(value.Env(), {count, sizeof(T)}), name);
  if (reinterpret_cast<uintptr_t>(data) % alignof(T) != 0)
    throw Napi::RangeError::New(value.Env(), std::string(name) + " lies at an odd address");
  return reinterpret_cast<T*>(data);
}

size_t SizeAt(const Napi::CallbackInfo& info, size_t index) {
  const double value = info[index].As<Napi::Number>().DoubleValue();
  if (!(value >= 0 && value <= 9007199254740991.0)) throw Napi::RangeError::New(info.Env(), "a size is no whole number");
  return static_cast<size_t>(value);
}

uint32_t CodeAt(const Napi::CallbackInfo& info, size_t index, uint32_t end) {
  const uint32_t code = info[index].As<Napi::Number>().Uint32Value();
  if (code >= end) throw Napi::RangeError::New(info.Env(), "there is no such format");
  return code;
}

size_t GrainOfRows(size_t columns) { return (kGrain + columns) / (columns + 1) + 1; }

size_t GroupAt(const Napi::CallbackInfo& info, size_t index, size_t most) {
  const size_t group = SizeAt(info, index);
  if (group == 0 || group > most) throw Napi::RangeError::New(info.Env(), "there are no such groups");
  return group;
}

size_t SizeOfKind(Kind kind) { return kind == kF32 ? 4 : 2; }

// convert(from, to, source, into, count): how many finite values became infinite.
Napi::Value Convert(const Napi::CallbackInfo& info) {
  const Kind from = static_cast<Kind>(CodeAt(info, 0, kKinds)), to = static_cast<Kind>(CodeAt(info, 1, kKinds));
  const size_t count = SizeAt(info, 4);
  const auto wide = [](Kind kind) { return kind == kF32; };
  uint8_t* source = wide(from) ? reinterpret_cast<uint8_t*>(CheckedAs<uint32_t>(info[2], count, "the source"))
                               : reinterpret_cast<uint8_t*>(CheckedAs<uint16_t>(info[2], count, "the source"));
  uint8_t* into = wide(to) ? reinterpret_cast<uint8_t*>(CheckedAs<uint32_t>(info[3], count, "the result"))
                           : reinterpret_cast<uint8_t*>(CheckedAs<uint16_t>(info[3], count, "the result"));
  std::atomic<uint64_t> overflowed{0};
  InRanges(count, kConvertGrain, [&](size_t start, size_t end) {
    overflowed += Current().convert(from, to, source + start * SizeOfKind(from), into + start * SizeOfKind(to), end - start);
  });
  return Napi::Number::New(info.Env(), static_cast<double>(overflowed.load()));
}

// clip(halves): how many were infinite.
Napi::Value Clip(const Napi::CallbackInfo& info) {
  const size_t count = BytesOf(info[0]).length / 2;
  uint16_t* halves = CheckedAs<uint16_t>(info[0], count, "the halves' array");
  std::atomic<uint64_t> clipped{0};
  InRanges(count, kGrain, [&](size_t start, size_t end) { clipped += Current().clip(halves + start, end - start); });
  return Napi::Number::New(info.Env(), static_cast<double>(clipped.load()));
}

// decode(type, packed, values, blocks)
void Decode(const Napi::CallbackInfo& info) {
  const BlockType type = static_cast<BlockType>(CodeAt(info, 0, kBlockTypes));
  const auto [values_each, bytes_each] = kBlockShapes[type];
  const size_t blocks = SizeAt(info, 3);
  const uint8_t* packed = Checked(info[1], Product(info.Env(), {blocks, bytes_each}), "the packed array");
  float* values = CheckedAs<float>(info[2], Product(info.Env(), {blocks, values_each}), "the values' array");
  InRanges(blocks, kGrain / values_each, [&, values_each = values_each, bytes_each = bytes_each](size_t start, size_t end) {
    Current().decode(type, packed + start * bytes_each, values + start * values_each, end - start);
  });
}

// encode(type, values, packed, blocks): whether there is an encoder.
Napi::Value Encode(const Napi::CallbackInfo& info) {
  const BlockType type = static_cast<BlockType>(CodeAt(info, 0, kBlockTypes));
  const auto [values_each, bytes_each] = kBlockShapes[type];
  const size_t blocks = SizeAt(info, 3);
  const float* values = CheckedAs<float>(info[1], Product(info.Env(), {blocks, values_each}), "the values' array");
  uint8_t* packed = Checked(info[2], Product(info.Env(), {blocks, bytes_each}), "the packed array");
  std::atomic<bool> made{true};
  InRanges(blocks, kGrain / values_each, [&, values_each = values_each, bytes_each = bytes_each](size_t start, size_t end) {
    if (!Current().encode(type, values + start * values_each, packed + start * bytes_each, end - start)) made = false;
  });
  return Napi::Boolean::New(info.Env(), made);
}

// int8(values, rows, columns, group, data?, scales?): rounds in place without the last two.
void Int8(const Napi::CallbackInfo& info) {
  const size_t rows = SizeAt(info, 1), columns = SizeAt(info, 2), group = GroupAt(info, 3, SIZE_MAX);
  const size_t groups = (columns + group - 1) / group;
  const size_t values = Product(info.Env(), {rows, columns}), scales = Product(info.Env(), {rows, groups});
  Int8Job job = {CheckedAs<float>(info[0], values, "the values' array"), columns, group, nullptr, nullptr};
  if (info[4].IsTypedArray()) {
    job.data = CheckedAs<int8_t>(info[4], values, "the data's array");
    job.scales = CheckedAs<uint16_t>(info[5], scales, "the scales' array");
  }
  InRanges(rows, GrainOfRows(columns), [&](size_t start, size_t end) { Current().int8(job, start, end); });
}

// nBits(values, rows, columns, group, flags, data?, scales?, zeros?): flags are 1 for 8 bits, 2 for symmetric, 4 for fp16 scales.
void NBits(const Napi::CallbackInfo& info) {
  const size_t rows = SizeAt(info, 1), columns = SizeAt(info, 2), group = GroupAt(info, 3, kMostGroup);
  const uint32_t flags = CodeAt(info, 4, 8);
  const bool wide = flags & 1, symmetric = flags & 2, half = flags & 4;
  const size_t groups = (columns + group - 1) / group;
  const auto of_rows = [&](std::initializer_list<size_t> each) {
    return Product(info.Env(), {rows, Product(info.Env(), each)});
  };
  NBitsJob job = {CheckedAs<float>(info[0], of_rows({columns}), "the values' array"),
                  columns, group, wide, symmetric, half, nullptr, nullptr, nullptr};
  if (info[5].IsTypedArray()) {
    job.data = Checked(info[5], of_rows({groups, wide ? group : group / 2}), "the data's array");
    job.scales = half ? static_cast<void*>(CheckedAs<uint16_t>(info[6], of_rows({groups}), "the scales' array"))
                      : static_cast<void*>(CheckedAs<float>(info[6], of_rows({groups}), "the scales' array"));
    if (!symmetric) job.zeros = Checked(info[7], of_rows({wide ? groups : (groups + 1) / 2}), "the zero points' array");
  }
  InRanges(rows, GrainOfRows(columns), [&](size_t start, size_t end) { Current().n_bits(job, start, end); });
}

// mx(element, values, rows, columns, data?, scales?): rounds in place without the last two.
void Mx(const Napi::CallbackInfo& info) {
  constexpr size_t kBits[kMxElements] = {6, 6, 4, 8};
  const MxElement element = static_cast<MxElement>(CodeAt(info, 0, kMxElements));
  const size_t rows = SizeAt(info, 2), columns = SizeAt(info, 3);
  const auto of_rows = [&](size_t each) { return Product(info.Env(), {rows, each}); };
  MxJob job = {CheckedAs<float>(info[1], of_rows(columns), "the values' array"), columns, element, nullptr, nullptr};
  if (info[4].IsTypedArray()) {
    job.data = Checked(info[4], of_rows((columns * kBits[element] + 7) / 8), "the data's array");
    job.scales = Checked(info[5], of_rows((columns + 31) / 32), "the scales' array");
  }
  InRanges(rows, GrainOfRows(columns), [&](size_t start, size_t end) { Current().mx(job, start, end); });
}

// linear(words, scales, zeros, groupOf, places, values, outputs, inputs, wordColumns, skipped, bits, byInput)
void Linear(const Napi::CallbackInfo& info) {
  LinearJob job = {};
  job.outputs = SizeAt(info, 6);
  job.inputs = SizeAt(info, 7);
  job.word_columns = SizeAt(info, 8);
  job.skipped = SizeAt(info, 9);
  job.bits = CodeAt(info, 10, 9);
  job.by_input = info[11].As<Napi::Boolean>().Value();
  if (job.bits != 2 && job.bits != 4 && job.bits != 8) throw Napi::RangeError::New(info.Env(), "there are no such words");
  const size_t per_word = 32 / job.bits;
  const size_t word_rows = job.by_input ? (job.skipped + job.inputs + per_word - 1) / per_word : job.inputs;
  const size_t needed = job.by_input ? job.outputs : (job.skipped + job.outputs + per_word - 1) / per_word;
  if (job.word_columns < needed) throw Napi::RangeError::New(info.Env(), "the words' rows are too short");
  job.words = CheckedAs<uint32_t>(info[0], Product(info.Env(), {word_rows, job.word_columns}), "the words' array");
  job.group_of = CheckedAs<int32_t>(info[3], job.inputs, "the groups' array");
  int32_t last = -1;
  for (size_t i = 0; i < job.inputs; i++) {
    if (job.group_of[i] < 0) throw Napi::RangeError::New(info.Env(), "an input's group is negative");
    last = job.group_of[i] > last ? job.group_of[i] : last;
  }
  const size_t groups = static_cast<size_t>(int64_t{last} + 1);
  job.scales = CheckedAs<float>(info[1], Product(info.Env(), {groups, job.outputs}), "the scales' array");
  job.zeros = CheckedAs<float>(info[2], Product(info.Env(), {groups, job.outputs}), "the zero points' array");
  job.places = Checked(info[4], per_word, "the places' array");
  for (size_t i = 0; i < per_word; i++)
    if (job.places[i] >= per_word) throw Napi::RangeError::New(info.Env(), "a place lies outside of its word");
  job.values = CheckedAs<float>(info[5], Product(info.Env(), {job.outputs, job.inputs}), "the values' array");
  InRanges(job.outputs, GrainOfRows(job.inputs), [&](size_t start, size_t end) { Current().linear(job, start, end); });
}

// lanes(values, rows, columns, group, flags, data?, scales?, zeros?): flags are 1 for 8 bits, 2 for symmetric, 4 for a scale a row.
void Lanes(const Napi::CallbackInfo& info) {
  const size_t rows = SizeAt(info, 1), columns = SizeAt(info, 2), group = GroupAt(info, 3, kMostGroup);
  const uint32_t flags = CodeAt(info, 4, 8);
  if (group % 16 != 0 || columns % group != 0) throw Napi::RangeError::New(info.Env(), "there are no such groups");
  const size_t values = Product(info.Env(), {rows, columns});
  LanesJob job = {CheckedAs<float>(info[0], values, "the values' array"), rows, columns, group,
                  (flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0, nullptr, nullptr, nullptr};
  if (info[5].IsTypedArray()) {
    if (rows % kChipLanes != 0) throw Napi::RangeError::New(info.Env(), "rows don't fill the chip's lanes");
    const size_t scales = values / group;
    job.data = Checked(info[5], job.wide ? values : values / 2, "the data's array");
    job.scales = CheckedAs<uint16_t>(info[6], scales, "the scales' array");
    job.zeros = Checked(info[7], scales, "the zero points' array");
  }
  InRanges(rows, GrainOfRows(columns), [&](size_t start, size_t end) { Current().lanes(job, start, end); });
}

// words(values, rows, columns, group, flags, places, words?, zeros?, scales?): flags are 1 for symmetric, 2 where zero points are
// stored less one, 4 where words go along the inputs.
void Words(const Napi::CallbackInfo& info) {
  constexpr size_t kPerWord = 8;
  const size_t rows = SizeAt(info, 1), columns = SizeAt(info, 2), group = GroupAt(info, 3, kMostGroup);
  const uint32_t flags = CodeAt(info, 4, 8);
  const bool by_input = flags & 4;
  const size_t groups = (columns + group - 1) / group, values = Product(info.Env(), {rows, columns});
  WordsJob job = {CheckedAs<float>(info[0], values, "the values' array"), rows, columns, group,
                  (flags & 1) != 0, by_input, (flags & 2) != 0, nullptr, nullptr, nullptr, nullptr};
  job.places = Checked(info[5], kPerWord, "the places' array");
  for (size_t i = 0; i < kPerWord; i++)
    if (job.places[i] >= kPerWord) throw Napi::RangeError::New(info.Env(), "a place lies outside of its word");
  if (info[6].IsTypedArray()) {
    if (rows % kPerWord != 0 || (by_input && (columns % kPerWord != 0 || group % kPerWord != 0)))
      throw Napi::RangeError::New(info.Env(), "the linear doesn't fill its words");
    job.words = CheckedAs<uint32_t>(info[6], values / kPerWord, "the words' array");
    job.zeros = CheckedAs<uint32_t>(info[7], Product(info.Env(), {groups, rows / kPerWord}), "the zero points' array");
    job.scales = CheckedAs<uint16_t>(info[8], Product(info.Env(), {groups, rows}), "the scales' array");
  }
  const size_t per_part = job.words ? kPerWord : 1;
  InRanges(rows / per_part, GrainOfRows(columns * per_part),
           [&](size_t start, size_t end) { Current().words(job, start, end); });
}

Napi::Value LevelNames(const Napi::CallbackInfo& info) {
  auto list = Napi::Array::New(info.Env(), Levels().size());
  for (uint32_t i = 0; i < Levels().size(); i++) list[i] = Napi::String::New(info.Env(), Levels()[i]->name);
  return list;
}

void SetLevel(const Napi::CallbackInfo& info) {
  if (!Choose(info[0].As<Napi::String>())) throw Napi::RangeError::New(info.Env(), "this processor has no such level");
}

void Threads(const Napi::CallbackInfo& info) { SetThreads(SizeAt(info, 0)); }

}  // namespace

void Register(Napi::Env env, Napi::Object exports) {
  auto codecs = Napi::Object::New(env);
  codecs.Set("convert", Napi::Function::New(env, Convert, "convert"));
  codecs.Set("clip", Napi::Function::New(env, Clip, "clip"));
  codecs.Set("decode", Napi::Function::New(env, Decode, "decode"));
  codecs.Set("encode", Napi::Function::New(env, Encode, "encode"));
  codecs.Set("int8", Napi::Function::New(env, Int8, "int8"));
  codecs.Set("nBits", Napi::Function::New(env, NBits, "nBits"));
  codecs.Set("mx", Napi::Function::New(env, Mx, "mx"));
  codecs.Set("linear", Napi::Function::New(env, Linear, "linear"));
  codecs.Set("lanes", Napi::Function::New(env, Lanes, "lanes"));
  codecs.Set("words", Napi::Function::New(env, Words, "words"));
  codecs.Set("levels", Napi::Function::New(env, LevelNames, "levels"));
  codecs.Set("setLevel", Napi::Function::New(env, SetLevel, "setLevel"));
  codecs.Set("setThreads", Napi::Function::New(env, Threads, "setThreads"));
  exports.Set("codecs", codecs);
}

}  // namespace llm::codecs

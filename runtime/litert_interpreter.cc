#include "runtime/litert_interpreter.h"

#include <flatbuffers/flatbuffers.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "optimizer/model/model_writer.h"

namespace lathe {

namespace {

// A model runs through its first signature; one without gets a made-up signature 0 from the runtime.
constexpr size_t kSignature = 0;

litert::ElementType ToElementType(TensorType type) {
  switch (type) {
    case TensorType::kFloat32:
      return litert::ElementType::kFloat32;
    case TensorType::kInt32:
      return litert::ElementType::kInt32;
    case TensorType::kUint8:
      return litert::ElementType::kUint8;
    case TensorType::kInt64:
      return litert::ElementType::kInt64;
    case TensorType::kBool:
      return litert::ElementType::kBool;
    case TensorType::kInt16:
      return litert::ElementType::kInt16;
    case TensorType::kInt8:
      return litert::ElementType::kInt8;
    case TensorType::kFloat16:
      return litert::ElementType::kFloat16;
    case TensorType::kFloat64:
      return litert::ElementType::kFloat64;
    case TensorType::kUint64:
      return litert::ElementType::kUint64;
    case TensorType::kUint32:
      return litert::ElementType::kUint32;
    case TensorType::kUint16:
      return litert::ElementType::kUint16;
    default:
      return litert::ElementType::kNone;
  }
}

bool HasVariables(const Model& model) {
  for (const Subgraph& subgraph : model.subgraphs) {
    for (const Tensor& tensor : subgraph.tensors) {
      if (tensor.is_variable) return true;
    }
  }
  return false;
}

bool HasResources(const Model& model) {
  for (const Subgraph& subgraph : model.subgraphs) {
    for (const Tensor& tensor : subgraph.tensors) {
      if (tensor.type == TensorType::kResource) return true;
    }
  }
  return false;
}

bool HasDynamicShapes(const Model& model) {
  for (const auto* ids : {&model.subgraphs[0].inputs, &model.subgraphs[0].outputs}) {
    for (TensorId id : *ids) {
      const Tensor& tensor = model.subgraphs[0].tensor(id);
      if (tensor.HasDynamicShape()) return true;
      if (std::any_of(tensor.shape.begin(), tensor.shape.end(), [](int32_t d) { return d < 1; })) return true;
    }
  }
  return false;
}

// Offsets in the file of every Tensor.is_variable that is set. The fields' numbers are those of the format:
// Model.subgraphs is field 2, SubGraph.tensors field 0, Tensor.is_variable field 5. The bytes have passed ReadModel.
std::vector<size_t> FindVariableFlags(absl::Span<const uint8_t> bytes) {
  using Tables = flatbuffers::Vector<flatbuffers::Offset<flatbuffers::Table>>;
  constexpr auto Field = [](int number) { return static_cast<flatbuffers::voffset_t>(4 + 2 * number); };
  std::vector<size_t> flags;
  const auto* model = flatbuffers::GetRoot<flatbuffers::Table>(bytes.data());
  const auto* subgraphs = model->GetPointer<const Tables*>(Field(2));
  for (const flatbuffers::Table* subgraph : *subgraphs) {
    const auto* tensors = subgraph->GetPointer<const Tables*>(Field(0));
    if (tensors == nullptr) continue;
    for (const flatbuffers::Table* tensor : *tensors) {
      const uint8_t* flag = tensor->GetAddressOf(Field(5));
      if (flag != nullptr && *flag != 0) flags.push_back(static_cast<size_t>(flag - bytes.data()));
    }
  }
  return flags;
}

litert::RankedTensorType ToRankedType(const TensorInfo& info) {
  litert::RankedTensorType type{};
  type.element_type = ToElementType(info.type);
  type.layout.rank = static_cast<uint32_t>(info.shape.size()) & 0x7f;
  std::copy(info.shape.begin(), info.shape.end(), type.layout.dimensions);
  return type;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Interpreter>> LiteRtInterpreter::Create(const Model& model,
                                                                       absl::Span<const uint8_t> bytes,
                                                                       const InterpreterOptions& options) {
  LATHE_ASSIGN_OR_RETURN(const litert::Api* api, LoadLiteRt());
  std::unique_ptr<LiteRtInterpreter> interpreter(new LiteRtInterpreter(api, options));
  LATHE_ASSIGN_OR_RETURN(interpreter->inputs_, DescribeInputs(model));
  LATHE_ASSIGN_OR_RETURN(interpreter->outputs_, DescribeOutputs(model));
  for (const auto* infos : {&interpreter->inputs_, &interpreter->outputs_}) {
    for (const TensorInfo& info : *infos) {
      if (info.shape.size() > 8) {
        return MakeError(absl::StatusCode::kInvalidArgument, "MODEL_UNSUPPORTED",
                         absl::StrFormat("tensor '%s' has %d dimensions; the runtime takes at most 8", info.name,
                                         info.shape.size()));
      }
    }
  }
  interpreter->has_resources_ = HasResources(model);
  interpreter->has_dynamic_shapes_ = HasDynamicShapes(model);
  LATHE_RETURN_IF_ERROR(interpreter->PrepareBytes(model, bytes));
  LATHE_RETURN_IF_ERROR(interpreter->Load());
  if (options.file != nullptr) options.file->ReleasePages();
  return std::unique_ptr<Interpreter>(std::move(interpreter));
}

absl::Status LiteRtInterpreter::PrepareBytes(const Model& model, absl::Span<const uint8_t> bytes) {
  bytes_ = bytes;
  runtime_outputs_ = outputs_;
  kept_.resize(outputs_.size());
  if (!IsPlain(model)) {
    const Model plain = MakePlain(model, &sources_);
    LATHE_ASSIGN_OR_RETURN(const std::string file, SerializeModel(plain));
    private_copy_.assign(file.begin(), file.end());
    LATHE_ASSIGN_OR_RETURN(runtime_outputs_, DescribeOutputs(plain));
  } else if (HasVariables(model)) {
    private_copy_.assign(bytes.begin(), bytes.end());
  }
  if (!private_copy_.empty()) bytes_ = private_copy_;
  if (HasVariables(model)) variable_flags_ = FindVariableFlags(private_copy_);
  for (size_t i = 0; i < sources_.size(); ++i) {
    if (sources_[i].kind != OutputSource::Kind::kConstant) continue;
    const absl::Span<const uint8_t> data = model.buffer(model.subgraphs[0].tensor(outputs_[i].id).buffer).bytes();
    kept_[i].assign(data.begin(), data.end());
    kept_[i].resize(outputs_[i].size_bytes);
  }
  return absl::OkStatus();
}

absl::Span<const uint8_t> LiteRtInterpreter::Output(size_t index) const {
  if (!kept_[index].empty()) return kept_[index];
  const size_t runtime_index = sources_.empty() ? index : sources_[index].index;
  return {output_data_[runtime_index], runtime_outputs_[runtime_index].size_bytes};
}

LiteRtInterpreter::~LiteRtInterpreter() { Unload(); }

absl::Status LiteRtInterpreter::Check(int status, std::string_view step) const {
  if (status == litert::kOk) return absl::OkStatus();
  std::string words;
  if (char* text = nullptr;
      compiled_ != nullptr && api_.CompiledModelGetErrorMessages(compiled_, &text) == litert::kOk && text != nullptr) {
    words = absl::StrFormat(": %s", text);
    free(text);
  }
  return MakeError(absl::StatusCode::kFailedPrecondition, "RUNTIME_REFUSED",
                   absl::StrFormat("the LiteRT runtime %s cannot %s this model: status %s%s", RuntimeVersion(),
                                   std::string(step), litert::StatusName(status), words));
}

absl::Status LiteRtInterpreter::Load() {
  for (size_t flag : variable_flags_) private_copy_[flag] = 0;
  const int status = api_.CreateModelFromBuffer(api_.environment, bytes_.data(), bytes_.size(), &model_);
  for (size_t flag : variable_flags_) private_copy_[flag] = 1;
  LATHE_RETURN_IF_ERROR(Check(status, "read"));
  LATHE_RETURN_IF_ERROR(Compile());
  LATHE_RETURN_IF_ERROR(CheckOrder());
  LATHE_RETURN_IF_ERROR(ResizeDynamicInputs());
  LATHE_RETURN_IF_ERROR(UpdateOutputShapes());
  return AllocateBuffers();
}

void LiteRtInterpreter::Unload() {
  UnlockOutputs().IgnoreError();
  for (auto* buffers : {&input_buffers_, &output_buffers_}) {
    for (litert::TensorBuffer buffer : *buffers) api_.DestroyTensorBuffer(buffer);
    buffers->clear();
  }
  if (compiled_ != nullptr) api_.DestroyCompiledModel(std::exchange(compiled_, nullptr));
  if (model_ != nullptr) api_.DestroyModel(std::exchange(model_, nullptr));
}

absl::Status LiteRtInterpreter::Compile() {
  const char* kernels = options_.kernels == InterpreterOptions::Kernels::kBuiltin     ? "builtin"
                        : options_.kernels == InterpreterOptions::Kernels::kReference ? "reference"
                                                                                      : "delegate";
  const std::string toml = absl::StrFormat("kernel_mode = \"%s\"\nnum_threads = %d\n", kernels, options_.threads);
  litert::Options options = nullptr;
  LATHE_RETURN_IF_ERROR(Check(api_.CreateOptions(&options), "make options for"));
  int status = api_.SetOptionsHardwareAccelerators(options, litert::kHardwareCpu);
  const auto add = [&](const char* id, const std::string& text) {
    litert::PluginOptions added = nullptr;
    // The runtime takes over the text and releases it.
    if (status == litert::kOk) status = api_.CreateOpaqueOptions(id, strdup(text.c_str()), free, &added);
    if (status == litert::kOk) status = api_.AddOpaqueOptions(options, added);
  };
  add("xnnpack", toml);
  if (options_.profile) add("runtime_options_string", "enable_profiling = true\n");
  if (status == litert::kOk) status = api_.CreateCompiledModel(api_.environment, model_, options, &compiled_);
  api_.DestroyOptions(options);
  return Check(status, "compile");
}

// The runtime numbers inputs and outputs by its own list. For plain models it is the subgraph's; if another version
// orders them otherwise, values would be swapped silently, so it is checked.
absl::Status LiteRtInterpreter::CheckOrder() {
  litert::Signature signature = nullptr;
  LATHE_RETURN_IF_ERROR(Check(api_.GetModelSignature(model_, kSignature, &signature), "describe"));
  const auto check = [&](auto count_of, auto tensor_of, const std::vector<TensorInfo>& infos,
                         const char* side) -> absl::Status {
    size_t count = 0;
    LATHE_RETURN_IF_ERROR(Check(count_of(signature, &count), "describe"));
    for (size_t i = 0; i < infos.size(); ++i) {
      litert::RuntimeTensor tensor = nullptr;
      uint32_t index = 0;
      if (i < count) {
        LATHE_RETURN_IF_ERROR(Check(tensor_of(signature, i, &tensor), "describe"));
        LATHE_RETURN_IF_ERROR(Check(api_.GetTensorIndex(tensor, &index), "describe"));
      }
      if (i < count && index == infos[i].id.index()) continue;
      return MakeError(absl::StatusCode::kFailedPrecondition, "RUNTIME_REFUSED",
                       absl::StrFormat("the LiteRT runtime %s does not list %s %d, '%s', where the model has it",
                                       RuntimeVersion(), side, i, infos[i].name));
    }
    return absl::OkStatus();
  };
  LATHE_RETURN_IF_ERROR(check(api_.GetNumSignatureInputs, api_.GetSignatureInputTensorByIndex, inputs_, "input"));
  return check(api_.GetNumSignatureOutputs, api_.GetSignatureOutputTensorByIndex, runtime_outputs_, "output");
}

absl::Status LiteRtInterpreter::ResizeDynamicInputs() {
  if (!has_dynamic_shapes_) return absl::OkStatus();
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const std::vector<int32_t>& shape = inputs_[i].shape;
    const int status =
        api_.CompiledModelResizeInputTensorNonStrict(compiled_, kSignature, i, shape.data(), shape.size());
    LATHE_RETURN_IF_ERROR(Check(status, "resize the inputs of"));
  }
  return absl::OkStatus();
}

absl::Status LiteRtInterpreter::UpdateOutputShapes() {
  if (!has_dynamic_shapes_) return absl::OkStatus();
  std::vector<litert::Layout> layouts(runtime_outputs_.size());
  const int status =
      api_.GetCompiledModelOutputTensorLayouts(compiled_, kSignature, layouts.size(), layouts.data(), true);
  LATHE_RETURN_IF_ERROR(Check(status, "find the output shapes of"));
  for (size_t i = 0; i < runtime_outputs_.size(); ++i) {
    TensorInfo& info = runtime_outputs_[i];
    const size_t element_bytes = info.size_bytes / static_cast<size_t>(info.elements);
    info.shape.assign(layouts[i].dimensions, layouts[i].dimensions + std::min<uint32_t>(layouts[i].rank, 8));
    info.elements = 1;
    for (int32_t& dimension : info.shape) info.elements *= dimension = std::max(dimension, 1);
    info.size_bytes = static_cast<size_t>(info.elements) * element_bytes;
    for (TensorInfo& output : outputs_) {
      if (output.id != info.id) continue;
      output.shape = info.shape;
      output.elements = info.elements;
      output.size_bytes = info.size_bytes;
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<litert::TensorBuffer> LiteRtInterpreter::AllocateBuffer(const TensorInfo& info,
                                                                       litert::Requirements requirements) {
  const litert::RankedTensorType type = ToRankedType(info);
  litert::TensorBuffer buffer = nullptr;
  const int status = api_.CreateManagedTensorBufferFromRequirements(api_.environment, &type, requirements, &buffer);
  LATHE_RETURN_IF_ERROR(Check(status, "allocate an input or output of"));
  return buffer;
}

absl::Status LiteRtInterpreter::AllocateBuffers() {
  for (size_t i = 0; i < inputs_.size(); ++i) {
    litert::Requirements requirements = nullptr;
    LATHE_RETURN_IF_ERROR(
        Check(api_.GetCompiledModelInputBufferRequirements(compiled_, kSignature, i, &requirements), "size"));
    LATHE_ASSIGN_OR_RETURN(litert::TensorBuffer buffer, AllocateBuffer(inputs_[i], requirements));
    input_buffers_.push_back(buffer);
  }
  for (size_t i = 0; i < runtime_outputs_.size(); ++i) {
    litert::Requirements requirements = nullptr;
    LATHE_RETURN_IF_ERROR(
        Check(api_.GetCompiledModelOutputBufferRequirements(compiled_, kSignature, i, &requirements), "size"));
    LATHE_ASSIGN_OR_RETURN(litert::TensorBuffer buffer, AllocateBuffer(runtime_outputs_[i], requirements));
    output_buffers_.push_back(buffer);
  }
  output_data_.assign(runtime_outputs_.size(), nullptr);
  return absl::OkStatus();
}

absl::Status LiteRtInterpreter::SetInput(size_t index, absl::Span<const uint8_t> bytes) {
  void* data = nullptr;
  LATHE_RETURN_IF_ERROR(Check(api_.LockTensorBuffer(input_buffers_[index], &data, litert::kLockWrite), "feed"));
  memcpy(data, bytes.data(), std::min(bytes.size(), inputs_[index].size_bytes));
  for (size_t i = 0; i < sources_.size(); ++i) {
    if (sources_[i].kind != OutputSource::Kind::kModelInput || sources_[i].index != index) continue;
    kept_[i].assign(bytes.begin(), bytes.end());
  }
  return Check(api_.UnlockTensorBuffer(input_buffers_[index]), "feed");
}

absl::Status LiteRtInterpreter::UnlockOutputs() {
  for (size_t i = 0; i < output_data_.size(); ++i) {
    if (std::exchange(output_data_[i], nullptr) == nullptr) continue;
    LATHE_RETURN_IF_ERROR(Check(api_.UnlockTensorBuffer(output_buffers_[i]), "release the outputs of"));
  }
  return absl::OkStatus();
}

absl::Status LiteRtInterpreter::Run() {
  LATHE_RETURN_IF_ERROR(UnlockOutputs());
  const int status = api_.RunCompiledModel(compiled_, kSignature, input_buffers_.size(), input_buffers_.data(),
                                           output_buffers_.size(), output_buffers_.data());
  LATHE_RETURN_IF_ERROR(Check(status, "run"));
  for (size_t i = 0; i < output_buffers_.size(); ++i) {
    void* data = nullptr;
    LATHE_RETURN_IF_ERROR(Check(api_.LockTensorBuffer(output_buffers_[i], &data, litert::kLockRead), "read"));
    output_data_[i] = static_cast<const uint8_t*>(data);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<KernelEvent>> LiteRtInterpreter::RunProfiled() {
  litert::Profiler profiler = nullptr;
  LATHE_RETURN_IF_ERROR(Check(api_.CompiledModelGetProfiler(compiled_, &profiler), "profile"));
  LATHE_RETURN_IF_ERROR(Check(api_.ResetProfiler(profiler), "profile"));
  LATHE_RETURN_IF_ERROR(Check(api_.StartProfiler(profiler), "profile"));
  LATHE_RETURN_IF_ERROR(Run());
  LATHE_RETURN_IF_ERROR(Check(api_.StopProfiler(profiler), "profile"));
  int count = 0;
  LATHE_RETURN_IF_ERROR(Check(api_.GetNumProfilerEvents(profiler, &count), "profile"));
  std::vector<litert::ProfilerEvent> raw(static_cast<size_t>(std::max(count, 0)));
  LATHE_RETURN_IF_ERROR(Check(api_.GetProfilerEvents(profiler, count, raw.data()), "profile"));
  std::vector<KernelEvent> events;
  for (const litert::ProfilerEvent& from : raw) {
    if (from.type != litert::kEventOperator && from.type != litert::kEventInDelegate) continue;
    KernelEvent& event = events.emplace_back();
    event.kernel = from.tag == nullptr ? "" : from.tag;
    event.delegated = from.type == litert::kEventInDelegate;
    event.ms = static_cast<double>(from.elapsed_us) / 1000;
    if (event.delegated) continue;
    event.index = static_cast<int>(from.metadata1);
    event.subgraph = static_cast<int>(from.metadata2);
  }
  return events;
}

absl::Status LiteRtInterpreter::ResetState() {
  if (!HasState()) return absl::OkStatus();
  const bool resizable = !has_resources_ && !inputs_.empty() && !inputs_[0].shape.empty();
  if (!resizable) {
    Unload();
    return Load();
  }
  std::vector<int32_t> other = inputs_[0].shape;
  other[0] += 1;
  for (const std::vector<int32_t>& shape : {other, inputs_[0].shape}) {
    const int status =
        api_.CompiledModelResizeInputTensorNonStrict(compiled_, kSignature, 0, shape.data(), shape.size());
    LATHE_RETURN_IF_ERROR(Check(status, "reset the state of"));
  }
  return absl::OkStatus();
}

}  // namespace lathe

#include "optimizer/model/model_writer.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/strings/str_format.h"
#include "common/file.h"
#include "optimizer/model/schema_generated.h"

namespace lathe {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;
using flatbuffers::uoffset_t;
template <typename T>
using Vector = Offset<flatbuffers::Vector<T>>;

constexpr uint64_t kAlignment = 16;  // of every buffer's first byte in the file; XNNPACK and typed readers rely on it
constexpr size_t kLengthBytes = sizeof(uoffset_t);
// The graph without its weights. Names and options of the largest models known take a few MiB.
constexpr uint64_t kGraphBytesMax = uint64_t{1} << 30;

using Sink = std::function<absl::Status(absl::Span<const uint8_t>)>;

uint64_t AlignUp(uint64_t value, uint64_t alignment = kAlignment) {
  return (value + alignment - 1) / alignment * alignment;
}

template <typename Tag>
std::vector<int32_t> Values(const std::vector<Id<Tag>>& ids) {
  std::vector<int32_t> values;
  values.reserve(ids.size());
  for (Id<Tag> id : ids) values.push_back(id.value);
  return values;
}

// Absent in the file when empty: old readers and size both like it.
template <typename T>
Vector<T> Optional(FlatBufferBuilder& builder, const std::vector<T>& values) {
  return values.empty() ? Vector<T>() : builder.CreateVector(values);
}

Offset<flatbuffers::String> OptionalText(FlatBufferBuilder& builder, const std::string& text) {
  return text.empty() ? Offset<flatbuffers::String>() : builder.CreateString(text);
}

// Operator codes in order of first use.
class OpCodes {
 public:
  explicit OpCodes(const Model& model) {
    for (const Subgraph& subgraph : model.subgraphs) {
      for (const Op& op : subgraph.ops) {
        if (index_.try_emplace(KeyOf(op), static_cast<uint32_t>(order_.size())).second) order_.push_back(&op);
      }
    }
  }
  uint32_t IndexOf(const Op& op) const { return index_.at(KeyOf(op)); }

  Vector<Offset<tflite::OperatorCode>> Write(FlatBufferBuilder& builder) const {
    std::vector<Offset<tflite::OperatorCode>> codes;
    for (const Op* op : order_) {
      const auto kind = static_cast<int32_t>(op->kind);
      const auto old_kind = static_cast<int8_t>(std::min(kind, 127));
      codes.push_back(tflite::CreateOperatorCode(builder, old_kind, OptionalText(builder, op->custom_code), op->version,
                                                 static_cast<tflite::BuiltinOperator>(kind)));
    }
    return builder.CreateVector(codes);
  }

 private:
  using Key = std::tuple<OpKind, std::string, int32_t>;
  static Key KeyOf(const Op& op) { return {op.kind, op.custom_code, op.version}; }
  std::map<Key, uint32_t> index_;
  std::vector<const Op*> order_;
};

// Vectors and tables that many tensors have alike are written once: the format lets tables point to the same place.
// Zero points alone, eight bytes for each channel and nearly all zero, are a fifth of a small int8 model.
class TensorWriter {
 public:
  explicit TensorWriter(FlatBufferBuilder& builder) : builder_(builder) {}

  Offset<tflite::Tensor> Write(const Tensor& from) {
    const auto shape = Shared(shapes_, from.shape);
    const auto name = OptionalText(builder_, from.name);
    const auto quantization = WriteQuantization(from.quantization);
    const auto sparsity = from.sparsity == nullptr ? Offset<tflite::SparsityParameters>()
                                                   : tflite::CreateSparsityParameters(builder_, from.sparsity.get());
    const auto signature = from.shape_signature.empty() ? Vector<int32_t>() : Shared(shapes_, from.shape_signature);
    std::vector<Offset<tflite::VariantSubType>> variants;
    for (const auto& variant : from.variant_tensors) {
      variants.push_back(tflite::CreateVariantSubType(builder_, variant.get()));
    }
    return tflite::CreateTensor(builder_, shape, static_cast<tflite::TensorType>(from.type),
                                static_cast<uint32_t>(from.buffer.value), name, quantization, from.is_variable,
                                sparsity, signature, from.has_rank, Optional(builder_, variants));
  }

 private:
  template <typename T>
  Vector<T> Shared(std::map<std::vector<T>, Vector<T>>& written, const std::vector<T>& values) {
    auto [place, first] = written.try_emplace(values);
    if (first) place->second = builder_.CreateVector(values);
    return place->second;
  }

  Offset<tflite::QuantizationParameters> WriteQuantization(const Quantization& from) {
    const bool is_default = !from.IsQuantized() && from.zero_point.empty() && from.min.empty() && from.max.empty() &&
                            from.quantized_dimension == 0;
    if (is_default && !none_.IsNull()) return none_;
    const auto min = Optional(builder_, from.min);
    const auto max = Optional(builder_, from.max);
    const auto scale = Optional(builder_, from.scale);
    const auto zero_point = from.zero_point.empty() ? Vector<int64_t>() : Shared(zero_points_, from.zero_point);
    const auto details = from.details == nullptr ? Offset<void>() : from.details->Pack(builder_);
    const auto type = from.details == nullptr ? tflite::QuantizationDetails::NONE : from.details->type;
    const auto written = tflite::CreateQuantizationParameters(builder_, min, max, scale, zero_point, type, details,
                                                              from.quantized_dimension);
    if (is_default) none_ = written;
    return written;
  }

  FlatBufferBuilder& builder_;
  std::map<std::vector<int32_t>, Vector<int32_t>> shapes_;
  std::map<std::vector<int64_t>, Vector<int64_t>> zero_points_;
  Offset<tflite::QuantizationParameters> none_;
};

Offset<tflite::Operator> WriteOp(FlatBufferBuilder& builder, const OpCodes& codes, const Op& from) {
  const auto inputs = builder.CreateVector(Values(from.inputs));
  const auto outputs = builder.CreateVector(Values(from.outputs));
  const auto intermediates = Optional(builder, Values(from.intermediates));
  const std::vector<uint8_t> mutating(from.mutating_variable_inputs.begin(), from.mutating_variable_inputs.end());
  const auto mutating_inputs = Optional(builder, mutating);
  const auto custom = Optional(builder, from.options.custom);
  const auto* one = from.options.builtin.get();
  const auto* two = from.options.builtin2.get();
  const auto options = one == nullptr ? Offset<void>() : one->Pack(builder);
  const auto options2 = two == nullptr ? Offset<void>() : two->Pack(builder);
  tflite::OperatorBuilder op(builder);
  op.add_opcode_index(codes.IndexOf(from));
  op.add_inputs(inputs);
  op.add_outputs(outputs);
  op.add_intermediates(intermediates);
  op.add_mutating_variable_inputs(mutating_inputs);
  op.add_custom_options(custom);
  if (one != nullptr) op.add_builtin_options_type(one->type);
  op.add_builtin_options(options);
  if (two != nullptr) op.add_builtin_options_2_type(two->type);
  op.add_builtin_options_2(options2);
  op.add_debug_metadata_index(from.debug_metadata_index);
  return op.Finish();
}

Offset<tflite::SubGraph> WriteSubgraph(FlatBufferBuilder& builder, TensorWriter& tensor_writer, const OpCodes& codes,
                                       const Subgraph& from) {
  std::vector<Offset<tflite::Tensor>> tensors;
  for (const Tensor& tensor : from.tensors) tensors.push_back(tensor_writer.Write(tensor));
  std::vector<Offset<tflite::Operator>> ops;
  for (const Op& op : from.ops) ops.push_back(WriteOp(builder, codes, op));
  const auto tensor_vector = builder.CreateVector(tensors);
  const auto inputs = builder.CreateVector(Values(from.inputs));
  const auto outputs = builder.CreateVector(Values(from.outputs));
  const auto op_vector = builder.CreateVector(ops);
  return tflite::CreateSubGraph(builder, tensor_vector, inputs, outputs, op_vector, OptionalText(builder, from.name),
                                from.debug_metadata_index);
}

Offset<tflite::SignatureDef> WriteSignature(FlatBufferBuilder& builder, const Signature& from) {
  const auto write = [&builder](const std::vector<SignatureEntry>& entries) {
    std::vector<Offset<tflite::TensorMap>> maps;
    for (const SignatureEntry& entry : entries) {
      maps.push_back(tflite::CreateTensorMap(builder, builder.CreateString(entry.name),
                                             static_cast<uint32_t>(entry.tensor.value)));
    }
    return builder.CreateVector(maps);
  };
  const auto inputs = write(from.inputs);
  const auto outputs = write(from.outputs);
  return tflite::CreateSignatureDef(builder, inputs, outputs, builder.CreateString(from.key),
                                    static_cast<uint32_t>(from.subgraph.value));
}

// Buffer tables with fields that PlaceBuffers fills in once it knows where the bytes will lie.
Vector<Offset<tflite::Buffer>> WriteBufferTables(FlatBufferBuilder& builder, const Model& model, bool outside) {
  Vector<uint8_t> placeholder;
  if (!outside) placeholder = builder.CreateVector(std::vector<uint8_t>());
  std::vector<Offset<tflite::Buffer>> buffers;
  for (const Buffer& from : model.buffers) {
    tflite::BufferBuilder buffer(builder);
    if (!from.empty() && outside) {
      buffer.add_offset(2);
      buffer.add_size(from.bytes().size());
    } else if (!from.empty()) {
      buffer.add_data(placeholder);
    }
    buffers.push_back(buffer.Finish());
  }
  return builder.CreateVector(buffers);
}

// Everything but the buffers' bytes.
void WriteHead(FlatBufferBuilder& builder, const Model& model, bool outside) {
  const OpCodes codes(model);
  const auto buffers = WriteBufferTables(builder, model, outside);
  std::vector<Offset<tflite::SubGraph>> subgraphs;
  TensorWriter tensor_writer(builder);
  for (const Subgraph& subgraph : model.subgraphs) {
    subgraphs.push_back(WriteSubgraph(builder, tensor_writer, codes, subgraph));
  }
  std::vector<Offset<tflite::Metadata>> metadata;
  for (const Metadata& from : model.metadata) {
    metadata.push_back(
        tflite::CreateMetadata(builder, OptionalText(builder, from.name), static_cast<uint32_t>(from.buffer.value)));
  }
  std::vector<Offset<tflite::SignatureDef>> signatures;
  for (const Signature& from : model.signatures) signatures.push_back(WriteSignature(builder, from));
  const auto code_vector = codes.Write(builder);
  const auto subgraph_vector = builder.CreateVector(subgraphs);
  const auto description = OptionalText(builder, model.description);
  const auto metadata_buffers = Optional(builder, Values(model.metadata_buffers));
  const auto metadata_vector = Optional(builder, metadata);
  const auto signature_vector = Optional(builder, signatures);
  tflite::FinishModelBuffer(builder, tflite::CreateModel(builder, 3, code_vector, subgraph_vector, description, buffers,
                                                         metadata_buffers, metadata_vector, signature_vector));
}

struct Layout {
  std::vector<uint64_t> data;  // each buffer's first byte in the file; 0 for empty ones
  uint64_t size_bytes = 0;     // of the whole file; buffers from here on lie behind it
};

bool LiesIn(absl::Span<const uint8_t> whole, absl::Span<const uint8_t> part) {
  const std::less_equal<const uint8_t*> not_after;  // a total order, whatever the pointers point into
  return !whole.empty() && !part.empty() && not_after(whole.data(), part.data()) &&
         not_after(part.data() + part.size(), whole.data() + whole.size());
}

Layout PlaceBuffers(const Model& model, uint64_t head_bytes, bool outside, absl::Span<const uint8_t> behind) {
  Layout layout;
  uint64_t end = head_bytes;
  for (const Buffer& buffer : model.buffers) {
    if (buffer.empty() || LiesIn(behind, buffer.bytes())) {
      layout.data.push_back(0);
      continue;
    }
    layout.data.push_back(AlignUp(end + (outside ? 0 : kLengthBytes)));
    end = layout.data.back() + buffer.bytes().size();
  }
  layout.size_bytes = AlignUp(end);
  const uint64_t start = AlignUp(end, MappedFile::kBehindAlignment);
  for (size_t i = 0; i < model.buffers.size(); ++i) {
    const absl::Span<const uint8_t> bytes = model.buffers[i].bytes();
    if (LiesIn(behind, bytes)) layout.data[i] = start + static_cast<uint64_t>(bytes.data() - behind.data());
  }
  return layout;
}

// Writes `value` where `field` of the table lies. REQUIRES: the table has the field, as wide as T.
template <typename T>
void Patch(FlatBufferBuilder& builder, const tflite::Buffer& table, uoffset_t field, T value) {
  const auto* base = reinterpret_cast<const flatbuffers::Table*>(&table);
  const auto position = base->GetAddressOf(static_cast<flatbuffers::voffset_t>(field)) - builder.GetBufferPointer();
  value = flatbuffers::EndianScalar(value);
  std::memcpy(builder.GetBufferPointer() + position, &value, sizeof(value));
}

// References of a flatbuffer point forward by an unsigned distance, so a vector may lie anywhere behind its table.
void PatchTables(FlatBufferBuilder& builder, const Layout& layout, bool outside) {
  const tflite::Model& model = *tflite::GetModel(builder.GetBufferPointer());
  for (uoffset_t i = 0; i < model.buffers()->size(); ++i) {
    if (layout.data[i] == 0) continue;
    const tflite::Buffer& table = *model.buffers()->Get(i);
    if (outside) {
      Patch<uint64_t>(builder, table, tflite::Buffer::VT_OFFSET, layout.data[i]);
      continue;
    }
    const auto* base = reinterpret_cast<const flatbuffers::Table*>(&table);
    const auto field = static_cast<uint64_t>(base->GetAddressOf(tflite::Buffer::VT_DATA) - builder.GetBufferPointer());
    Patch<uoffset_t>(builder, table, tflite::Buffer::VT_DATA,
                     static_cast<uoffset_t>(layout.data[i] - kLengthBytes - field));
  }
}

absl::Status WriteZeros(const Sink& sink, uint64_t count) {
  constexpr uint8_t kZeros[kAlignment + kLengthBytes] = {};
  return count == 0 ? absl::OkStatus() : sink(absl::MakeConstSpan(kZeros, count));
}

absl::Status WriteBuffers(const Model& model, uint64_t position, const Layout& layout, bool outside, const Sink& sink) {
  for (size_t i = 0; i < model.buffers.size(); ++i) {
    const absl::Span<const uint8_t> bytes = model.buffers[i].bytes();
    if (bytes.empty() || layout.data[i] >= layout.size_bytes) continue;
    const uint64_t length_bytes = outside ? 0 : kLengthBytes;
    LATHE_RETURN_IF_ERROR(WriteZeros(sink, layout.data[i] - length_bytes - position));
    if (!outside) {
      uint8_t length[kLengthBytes];
      flatbuffers::WriteScalar(length, static_cast<uoffset_t>(bytes.size()));
      LATHE_RETURN_IF_ERROR(sink(length));
    }
    LATHE_RETURN_IF_ERROR(sink(bytes));
    position = layout.data[i] + bytes.size();
  }
  return WriteZeros(sink, layout.size_bytes - position);
}

absl::Status CheckGraphSize(const Model& model) {
  uint64_t bytes = 0;
  for (const Subgraph& subgraph : model.subgraphs) {
    for (const Tensor& tensor : subgraph.tensors) {
      bytes += sizeof(Tensor) + tensor.name.size() + 12 * tensor.quantization.scale.size() + 8 * tensor.shape.size();
    }
    for (const Op& op : subgraph.ops) bytes += sizeof(Op) + op.options.custom.size() + 4 * op.inputs.size();
  }
  if (bytes <= kGraphBytesMax) return absl::OkStatus();
  return MakeError(
      absl::StatusCode::kInvalidArgument, "MODEL_CORRUPT",
      absl::StrFormat("the graph without its weights takes about %d bytes; a .tflite file holds %d of them", bytes,
                      kGraphBytesMax));
}

}  // namespace

absl::Status WriteModel(const Model& model, const Sink& sink, const WriterOptions& options) {
  LATHE_RETURN_IF_ERROR(CheckGraphSize(model));
  FlatBufferBuilder builder;
  bool outside = !options.behind.empty();
  WriteHead(builder, model, outside);
  Layout layout = PlaceBuffers(model, builder.GetSize(), outside, options.behind);
  if (!outside && layout.size_bytes > options.inline_bytes_max) {
    outside = true;
    builder.Clear();
    WriteHead(builder, model, outside);
    layout = PlaceBuffers(model, builder.GetSize(), outside, {});
  }
  PatchTables(builder, layout, outside);
  LATHE_RETURN_IF_ERROR(sink({builder.GetBufferPointer(), builder.GetSize()}));
  return WriteBuffers(model, builder.GetSize(), layout, outside, sink);
}

absl::Status WriteModelToFile(const Model& model, const std::string& path, const WriterOptions& options) {
  LATHE_ASSIGN_OR_RETURN(auto file, AtomicFile::Create(path, Durability::kScratch));
  LATHE_RETURN_IF_ERROR(WriteModel(
      model, [&](absl::Span<const uint8_t> bytes) { return file->Append(bytes); }, options));
  return file->Commit();
}

absl::StatusOr<std::string> SerializeModel(const Model& model, const WriterOptions& options) {
  std::string result;
  LATHE_RETURN_IF_ERROR(WriteModel(
      model,
      [&](absl::Span<const uint8_t> bytes) {
        result.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        return absl::OkStatus();
      },
      options));
  return result;
}

}  // namespace lathe

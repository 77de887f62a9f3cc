#include "optimizer/model/model_reader.h"

#include <algorithm>
#include <climits>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/strings/str_format.h"
#include "optimizer/model/file_kind.h"
#include "optimizer/model/model_verifier.h"
#include "optimizer/model/schema_generated.h"

namespace lathe {
namespace {

// flatbuffers' own limits are kept as they are in LiteRT's loader, so that what loads there loads here.
constexpr flatbuffers::uoffset_t kTableDepthMax = 64;
constexpr flatbuffers::uoffset_t kTablesMax = 1'000'000;
// The largest size the verifier accepts; larger files have their flatbuffer in front and buffers behind it.
constexpr size_t kFlatbufferBytesMax = FLATBUFFERS_MAX_BUFFER_SIZE - 1;
// Tables of a flatbuffer may share their vectors, so a small hostile file can unpack into any size. What a real file
// unpacks to is about its own size without the weights.
constexpr uint64_t kUnpackedBytesSlack = uint64_t{64} << 20;
constexpr uint64_t kUnpackedBytesPerFileByte = 4;

absl::Status Corrupt(std::string_view message) {
  return MakeError(absl::StatusCode::kInvalidArgument, "MODEL_CORRUPT", message);
}

absl::Status Unsupported(std::string_view message) {
  return MakeError(absl::StatusCode::kInvalidArgument, "MODEL_UNSUPPORTED", message);
}

// Ids are checked by VerifyModel; here they only must survive the conversion.
int32_t Clamp(uint32_t value) { return value > INT32_MAX ? INT32_MAX : static_cast<int32_t>(value); }

std::string Text(const flatbuffers::String* text) { return text == nullptr ? "" : text->str(); }

template <typename T>
size_t Count(const flatbuffers::Vector<T>* values) {
  return values == nullptr ? 0 : values->size();
}

// flatbuffers' verifier checks where a vector begins but not that its 8-byte numbers are aligned, so they are copied
// out.
template <typename To, typename T>
std::vector<To> Numbers(const flatbuffers::Vector<T>* values) {
  std::vector<To> result;
  result.reserve(Count(values));
  for (size_t i = 0; i < Count(values); ++i) {
    T value;
    std::memcpy(&value, values->Data() + i * sizeof(T), sizeof(T));
    result.emplace_back(flatbuffers::EndianScalar(value));
  }
  return result;
}

// Tables of a vector that may be absent; offsets of elements are never null in a verified flatbuffer.
template <typename T, typename Visit>
absl::Status ForEach(const flatbuffers::Vector<flatbuffers::Offset<T>>* tables, const Visit& visit) {
  for (size_t i = 0; i < Count(tables); ++i) {
    LATHE_RETURN_IF_ERROR(visit(i, *tables->Get(static_cast<flatbuffers::uoffset_t>(i))));
  }
  return absl::OkStatus();
}

std::optional<uint64_t> SizeOf(const tflite::SparsityParameters& sparsity) {
  uint64_t bytes = 4 * (Count(sparsity.traversal_order()) + Count(sparsity.block_map()));
  const auto add = [&bytes](tflite::SparseIndexVector type, const void* table) {
    switch (type) {
      case tflite::SparseIndexVector::NONE:
        return true;
      case tflite::SparseIndexVector::Int32Vector:
        if (table) bytes += 4 * Count(static_cast<const tflite::Int32Vector*>(table)->values());
        return true;
      case tflite::SparseIndexVector::Uint16Vector:
        if (table) bytes += 2 * Count(static_cast<const tflite::Uint16Vector*>(table)->values());
        return true;
      case tflite::SparseIndexVector::Uint8Vector:
        if (table) bytes += Count(static_cast<const tflite::Uint8Vector*>(table)->values());
        return true;
    }
    return false;
  };
  for (size_t i = 0; i < Count(sparsity.dim_metadata()); ++i) {
    const auto* dimension = sparsity.dim_metadata()->Get(static_cast<flatbuffers::uoffset_t>(i));
    bytes += sizeof(tflite::DimensionMetadataT);
    if (!add(dimension->array_segments_type(), dimension->array_segments())) return std::nullopt;
    if (!add(dimension->array_indices_type(), dimension->array_indices())) return std::nullopt;
  }
  return bytes;
}

class Reader {
 public:
  explicit Reader(absl::Span<const uint8_t> bytes)
      : bytes_(bytes), unpacked_bytes_left_(bytes.size() * kUnpackedBytesPerFileByte + kUnpackedBytesSlack) {}

  absl::StatusOr<Model> Read() {
    LATHE_RETURN_IF_ERROR(Open());
    LATHE_RETURN_IF_ERROR(ReadBuffers());
    LATHE_RETURN_IF_ERROR(ReadMetadata());
    LATHE_RETURN_IF_ERROR(ForEach(
        file_->subgraphs(), [&](size_t i, const tflite::SubGraph& from) { return ReadSubgraph(SubgraphId(i), from); }));
    LATHE_RETURN_IF_ERROR(VerifyModel(model_));
    AlignBuffers();
    return std::move(model_);
  }

 private:
  absl::Status Open();
  absl::Status ReadBuffers();
  absl::Status ReadMetadata();
  absl::Status ReadSignature(size_t index, const tflite::SignatureDef& from);
  absl::Status ReadSubgraph(SubgraphId id, const tflite::SubGraph& from);
  absl::Status ReadTensor(const std::string& place, const tflite::Tensor& from, Tensor& tensor);
  absl::Status ReadQuantization(const std::string& place, const tflite::QuantizationParameters& from,
                                Quantization& quantization);
  absl::Status ReadOp(const std::string& place, const tflite::Operator& from, Op& op);
  absl::Status ReadOpCode(const std::string& place, uint32_t index, Op& op);
  absl::Status ReadOptions(const std::string& place, const tflite::Operator& from, OpOptions& options);
  absl::StatusOr<absl::Span<const uint8_t>> Outside(const std::string& place, uint64_t offset, uint64_t size);
  void AlignBuffers();

  // Counts memory that reading takes before it is taken.
  absl::Status Charge(uint64_t bytes) {
    if (bytes > unpacked_bytes_left_)
      return Corrupt(absl::StrFormat(
          "the tables of the model share parts so that they would unpack to more than %d times the file's %d bytes; "
          "such a file is made to exhaust memory",
          kUnpackedBytesPerFileByte, bytes_.size()));
    unpacked_bytes_left_ -= bytes;
    return absl::OkStatus();
  }

  // Charges what a union table packs to: options have dozens of types, and their size shows only so.
  template <typename Union>
  absl::Status ChargePacked(const Union& table) {
    builder_.Clear();
    builder_.Finish(table.Pack(builder_));
    return Charge(builder_.GetSize() + sizeof(Union));
  }

  absl::Span<const uint8_t> bytes_;
  uint64_t unpacked_bytes_left_;
  const tflite::Model* file_ = nullptr;
  flatbuffers::FlatBufferBuilder builder_;
  Model model_;
};

absl::Status Reader::Open() {
  if (bytes_.empty()) return Corrupt("not a LiteRT model: the file is empty; a .tflite file is expected");
  if (bytes_.size() < 8 || !tflite::ModelBufferHasIdentifier(bytes_.data())) {
    const bool cut = bytes_.size() < 8;
    return Corrupt(
        absl::StrFormat("not a LiteRT model: the file (%d bytes) is %s%s; a .tflite file is expected, with "
                        "'TFL3' at byte 4",
                        bytes_.size(), DescribeForeignFile(bytes_), cut ? ", cut short" : ""));
  }
  const size_t flatbuffer_bytes = std::min(bytes_.size(), kFlatbufferBytesMax);
  flatbuffers::Verifier verifier(bytes_.data(), flatbuffer_bytes, kTableDepthMax, kTablesMax);
  if (!tflite::VerifyModelBuffer(verifier))
    return Corrupt(absl::StrFormat(
        "the file begins like a LiteRT model, but its tables point outside its %d bytes or overlap wrongly: it is cut "
        "short or damaged; upload it again, or check it against its source",
        bytes_.size()));
  file_ = tflite::GetModel(bytes_.data());
  if (file_->version() != 3)
    return Unsupported(absl::StrFormat("the model has schema version %d; LiteRT reads version 3", file_->version()));
  if (Count(file_->external_buffer_groups()) != 0 || Count(file_->external_buffers()) != 0)
    return Unsupported(
        "the model keeps weights in other files (external buffers), which one upload does not hold; convert it with "
        "the "
        "weights inside");
  return absl::OkStatus();
}

absl::StatusOr<absl::Span<const uint8_t>> Reader::Outside(const std::string& place, uint64_t offset, uint64_t size) {
  if (offset > bytes_.size() || size > bytes_.size() - offset)
    return Corrupt(absl::StrFormat("%s: %d bytes at offset %d, but the file has %d bytes: it is cut short or damaged",
                                   place, size, offset, bytes_.size()));
  return bytes_.subspan(offset, size);
}

absl::Status Reader::ReadBuffers() {
  LATHE_RETURN_IF_ERROR(Charge(Count(file_->buffers()) * sizeof(Buffer)));
  LATHE_RETURN_IF_ERROR(ForEach(file_->buffers(), [&](size_t i, const tflite::Buffer& from) -> absl::Status {
    // 0 and 1 are placeholders that writers leave while they do not know the place yet.
    if (from.offset() > 1) {
      LATHE_ASSIGN_OR_RETURN(auto bytes, Outside(absl::StrFormat("buffer %d", i), from.offset(), from.size()));
      model_.buffers.push_back(Buffer::View(bytes));
    } else if (const auto* data = from.data()) {
      model_.buffers.push_back(Buffer::View({data->Data(), data->size()}));
    } else {
      model_.buffers.emplace_back();
    }
    return absl::OkStatus();
  }));
  if (model_.buffers.empty()) model_.buffers.emplace_back();
  return absl::OkStatus();
}

absl::Status Reader::ReadMetadata() {
  model_.description = Text(file_->description());
  LATHE_RETURN_IF_ERROR(Charge(4 * Count(file_->metadata_buffer())));
  for (int32_t buffer : Numbers<int32_t>(file_->metadata_buffer())) {
    model_.metadata_buffers.push_back(BufferId(buffer));
  }
  LATHE_RETURN_IF_ERROR(ForEach(file_->metadata(), [&](size_t, const tflite::Metadata& from) {
    model_.metadata.push_back({Text(from.name()), BufferId(Clamp(from.buffer()))});
    return Charge(sizeof(Metadata) + model_.metadata.back().name.size());
  }));
  return ForEach(file_->signature_defs(),
                 [&](size_t i, const tflite::SignatureDef& from) { return ReadSignature(i, from); });
}

absl::Status Reader::ReadSignature(size_t, const tflite::SignatureDef& from) {
  Signature signature;
  signature.key = Text(from.signature_key());
  signature.subgraph = SubgraphId(Clamp(from.subgraph_index()));
  LATHE_RETURN_IF_ERROR(Charge(sizeof(Signature) + signature.key.size()));
  const auto read = [&](std::vector<SignatureEntry>& entries) {
    return [&](size_t, const tflite::TensorMap& entry) {
      entries.push_back({Text(entry.name()), TensorId(Clamp(entry.tensor_index()))});
      return Charge(sizeof(SignatureEntry) + entries.back().name.size());
    };
  };
  LATHE_RETURN_IF_ERROR(ForEach(from.inputs(), read(signature.inputs)));
  LATHE_RETURN_IF_ERROR(ForEach(from.outputs(), read(signature.outputs)));
  model_.signatures.push_back(std::move(signature));
  return absl::OkStatus();
}

absl::Status Reader::ReadSubgraph(SubgraphId id, const tflite::SubGraph& from) {
  Subgraph subgraph;
  subgraph.name = Text(from.name());
  subgraph.debug_metadata_index = from.debug_metadata_index();
  LATHE_RETURN_IF_ERROR(Charge(sizeof(Subgraph) + subgraph.name.size() + Count(from.tensors()) * sizeof(Tensor) +
                               Count(from.operators()) * sizeof(Op) +
                               4 * (Count(from.inputs()) + Count(from.outputs()))));
  subgraph.inputs = Numbers<TensorId>(from.inputs());
  subgraph.outputs = Numbers<TensorId>(from.outputs());
  subgraph.tensors.resize(Count(from.tensors()));
  LATHE_RETURN_IF_ERROR(ForEach(from.tensors(), [&](size_t i, const tflite::Tensor& tensor) -> absl::Status {
    subgraph.tensors[i].name = Text(tensor.name());
    LATHE_RETURN_IF_ERROR(Charge(subgraph.tensors[i].name.size()));
    return ReadTensor(Where(id, TensorId(i), subgraph.tensors[i]), tensor, subgraph.tensors[i]);
  }));
  subgraph.ops.resize(Count(from.operators()));
  LATHE_RETURN_IF_ERROR(ForEach(from.operators(), [&](size_t i, const tflite::Operator& op) {
    subgraph.ops[i].origin = static_cast<int32_t>(i);
    return ReadOp(absl::StrFormat("subgraph %d, operator %d", id.value, i), op, subgraph.ops[i]);
  }));
  model_.subgraphs.push_back(std::move(subgraph));
  return absl::OkStatus();
}

absl::Status Reader::ReadTensor(const std::string& place, const tflite::Tensor& from, Tensor& tensor) {
  if (!IsKnownTensorType(static_cast<int32_t>(from.type())))
    return Unsupported(absl::StrFormat("%s: tensor type %d is not one this build knows (it is damaged or newer)", place,
                                       static_cast<int32_t>(from.type())));
  if (from.external_buffer() != 0)
    return Unsupported(
        absl::StrFormat("%s: its data is in another file (external buffer %d); convert the model with "
                        "the weights inside",
                        place, from.external_buffer()));
  LATHE_RETURN_IF_ERROR(Charge(4 * (Count(from.shape()) + Count(from.shape_signature()))));
  tensor.type = static_cast<TensorType>(from.type());
  tensor.shape = Numbers<int32_t>(from.shape());
  tensor.shape_signature = Numbers<int32_t>(from.shape_signature());
  tensor.has_rank = from.has_rank();
  tensor.is_variable = from.is_variable();
  tensor.buffer = BufferId(Clamp(from.buffer()));
  if (from.quantization() != nullptr)
    LATHE_RETURN_IF_ERROR(ReadQuantization(place, *from.quantization(), tensor.quantization));
  if (from.sparsity() != nullptr) {
    const auto size = SizeOf(*from.sparsity());
    if (!size) return Unsupported(absl::StrFormat("%s: sparse indices of a type this build does not know", place));
    LATHE_RETURN_IF_ERROR(Charge(*size));
    auto sparsity = std::shared_ptr<tflite::SparsityParametersT>(from.sparsity()->UnPack());
    for (auto& dimension : sparsity->dim_metadata) {
      // A tag without a table would be followed by the packer.
      if (dimension->array_segments.value == nullptr) dimension->array_segments.Reset();
      if (dimension->array_indices.value == nullptr) dimension->array_indices.Reset();
    }
    tensor.sparsity = std::move(sparsity);
  }
  return ForEach(from.variant_tensors(), [&](size_t, const tflite::VariantSubType& variant) {
    tensor.variant_tensors.emplace_back(variant.UnPack());
    return Charge(sizeof(tflite::VariantSubTypeT) + 4 * Count(variant.shape()));
  });
}

absl::Status Reader::ReadQuantization(const std::string& place, const tflite::QuantizationParameters& from,
                                      Quantization& quantization) {
  LATHE_RETURN_IF_ERROR(
      Charge(4 * (Count(from.scale()) + Count(from.min()) + Count(from.max())) + 8 * Count(from.zero_point())));
  quantization.scale = Numbers<float>(from.scale());
  quantization.zero_point = Numbers<int64_t>(from.zero_point());
  // Absent zero points mean symmetric; everyone downstream may then index them.
  if (quantization.zero_point.empty()) quantization.zero_point.resize(quantization.scale.size());
  quantization.min = Numbers<float>(from.min());
  quantization.max = Numbers<float>(from.max());
  quantization.quantized_dimension = from.quantized_dimension();
  if (from.details_type() > tflite::QuantizationDetails::MAX)
    return Unsupported(absl::StrFormat("%s: quantization details of type %d, newer than this build knows", place,
                                       static_cast<int>(from.details_type())));
  if (from.details() == nullptr) return absl::OkStatus();
  auto details = std::make_shared<tflite::QuantizationDetailsUnion>();
  details->type = from.details_type();
  details->value = tflite::QuantizationDetailsUnion::UnPack(from.details(), from.details_type(), nullptr);
  if (details->value == nullptr) return absl::OkStatus();
  LATHE_RETURN_IF_ERROR(ChargePacked(*details));
  quantization.details = std::move(details);
  return absl::OkStatus();
}

absl::Status Reader::ReadOpCode(const std::string& place, uint32_t index, Op& op) {
  if (index >= Count(file_->operator_codes()))
    return Corrupt(
        absl::StrFormat("%s: operator code %d, but the model has %d", place, index, Count(file_->operator_codes())));
  const tflite::OperatorCode& code = *file_->operator_codes()->Get(index);
  // Files from before 2020 fill only the old field, which is a byte; newer ones both.
  const int32_t kind =
      std::max(static_cast<int32_t>(code.builtin_code()), static_cast<int32_t>(code.deprecated_builtin_code()));
  if (kind < 0) return Corrupt(absl::StrFormat("%s: operator code %d names kind %d", place, index, kind));
  if (!IsKnownOpKind(kind))
    return Unsupported(
        absl::StrFormat("%s: operator kind %d is not one this build knows (it is damaged or newer)", place, kind));
  op.kind = static_cast<OpKind>(kind);
  op.custom_code = Text(code.custom_code());
  op.version = code.version();
  return Charge(op.custom_code.size());
}

absl::Status Reader::ReadOptions(const std::string& place, const tflite::Operator& from, OpOptions& options) {
  if (from.builtin_options_type() > tflite::BuiltinOptions::MAX ||
      from.builtin_options_2_type() > tflite::BuiltinOptions2::MAX)
    return Unsupported(absl::StrFormat(
        "%s: options of a type newer than this build knows (%d, %d); they could not be "
        "written back",
        place, static_cast<int>(from.builtin_options_type()), static_cast<int>(from.builtin_options_2_type())));
  if (from.builtin_options() != nullptr) {
    auto table = std::make_shared<tflite::BuiltinOptionsUnion>();
    table->type = from.builtin_options_type();
    table->value = tflite::BuiltinOptionsUnion::UnPack(from.builtin_options(), table->type, nullptr);
    if (table->value != nullptr) {
      LATHE_RETURN_IF_ERROR(ChargePacked(*table));
      options.builtin = std::move(table);
    }
  }
  if (from.builtin_options_2() != nullptr) {
    auto table = std::make_shared<tflite::BuiltinOptions2Union>();
    table->type = from.builtin_options_2_type();
    table->value = tflite::BuiltinOptions2Union::UnPack(from.builtin_options_2(), table->type, nullptr);
    if (table->value != nullptr) {
      LATHE_RETURN_IF_ERROR(ChargePacked(*table));
      options.builtin2 = std::move(table);
    }
  }
  if (from.large_custom_options_offset() > 1) {
    LATHE_ASSIGN_OR_RETURN(auto bytes, Outside(place + ", custom options", from.large_custom_options_offset(),
                                               from.large_custom_options_size()));
    LATHE_RETURN_IF_ERROR(Charge(bytes.size()));
    options.custom.assign(bytes.begin(), bytes.end());
  } else {
    LATHE_RETURN_IF_ERROR(Charge(Count(from.custom_options())));
    options.custom = Numbers<uint8_t>(from.custom_options());
  }
  return absl::OkStatus();
}

absl::Status Reader::ReadOp(const std::string& place, const tflite::Operator& from, Op& op) {
  LATHE_RETURN_IF_ERROR(ReadOpCode(place, from.opcode_index(), op));
  LATHE_RETURN_IF_ERROR(Charge(4 * (Count(from.inputs()) + Count(from.outputs()) + Count(from.intermediates())) +
                               Count(from.mutating_variable_inputs()) / 8));
  op.inputs = Numbers<TensorId>(from.inputs());
  op.outputs = Numbers<TensorId>(from.outputs());
  op.intermediates = Numbers<TensorId>(from.intermediates());
  for (size_t i = 0; i < Count(from.mutating_variable_inputs()); ++i) {
    op.mutating_variable_inputs.push_back(
        from.mutating_variable_inputs()->Get(static_cast<flatbuffers::uoffset_t>(i)) != 0);
  }
  op.debug_metadata_index = from.debug_metadata_index();
  return ReadOptions(place, from, op.options);
}

// Typed access to constants needs their natural alignment. Writers align to 16; hand-made files may not.
void Reader::AlignBuffers() {
  for (const Subgraph& subgraph : model_.subgraphs) {
    for (const Tensor& tensor : subgraph.tensors) {
      if (!model_.IsConstant(tensor)) continue;
      const auto alignment = static_cast<uintptr_t>(std::clamp(TypeBits(tensor.type) / 8, 1, 8));
      Buffer& buffer = model_.buffers[tensor.buffer.index()];
      if (reinterpret_cast<uintptr_t>(buffer.bytes().data()) % alignment == 0) continue;
      buffer = Buffer::Owned({buffer.bytes().begin(), buffer.bytes().end()});
    }
  }
}

}  // namespace

absl::StatusOr<Model> ReadModel(std::shared_ptr<const MappedFile> file) {
  LATHE_ASSIGN_OR_RETURN(Model model, ReadModelFromBytes(file->bytes()));
  model.backing = std::move(file);
  return model;
}

absl::StatusOr<Model> ReadModelFromBytes(absl::Span<const uint8_t> bytes) { return Reader(bytes).Read(); }

}  // namespace lathe

#include "optimizer/model/dump.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "optimizer/model/op_options.h"

namespace lathe {
namespace {

// FNV-1a, 64 bits: stable across machines and builds; a dump is no place for trust, so collisions by intent are fine.
uint64_t Fnv(absl::Span<const uint8_t> bytes) {
  uint64_t hash = 0xcbf29ce484222325;
  for (uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001b3;
  return hash;
}

std::string Digest(absl::Span<const uint8_t> bytes) { return absl::StrFormat("%016x", Fnv(bytes)); }

std::string Digest(const std::string& bytes) {
  return Digest({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
}

std::string Quoted(const std::string& text) { return "'" + absl::CHexEscape(text) + "'"; }

std::string Ids(const std::vector<TensorId>& ids) {
  return absl::StrJoin(
      ids, " ", [](std::string* out, TensorId id) { absl::StrAppendFormat(out, id.valid() ? "%%%d" : "-", id.value); });
}

// Floats in hex are exact; a short decimal would hide a difference.
std::string Floats(const std::vector<float>& values) {
  constexpr size_t kShownMax = 4;
  std::string text;
  for (size_t i = 0; i < std::min(values.size(), kShownMax); ++i)
    text += absl::StrFormat("%s%.9g", i == 0 ? "" : ",", values[i]);
  if (values.size() <= kShownMax) return text;
  const absl::Span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(float));
  return text + absl::StrFormat(",...%d %s", values.size(), Digest(bytes));
}

std::string Integers(const std::vector<int64_t>& values) {
  constexpr size_t kShownMax = 4;
  if (values.size() <= kShownMax) return absl::StrJoin(values, ",");
  if (std::all_of(values.begin(), values.end(), [&](int64_t v) { return v == values[0]; }))
    return absl::StrFormat("%d...%d", values[0], values.size());
  const absl::Span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(values.data()),
                                        values.size() * sizeof(int64_t));
  return absl::StrFormat("%d,...%d %s", values[0], values.size(), Digest(bytes));
}

std::string QuantizationText(const Quantization& from) {
  std::string text;
  if (!from.scale.empty() || !from.zero_point.empty())
    text += absl::StrFormat(" scale=%s zero=%s", Floats(from.scale), Integers(from.zero_point));
  if (from.quantized_dimension != 0) text += absl::StrFormat(" axis=%d", from.quantized_dimension);
  if (!from.min.empty()) text += " min=" + Floats(from.min);
  if (!from.max.empty()) text += " max=" + Floats(from.max);
  if (from.details != nullptr) text += " details=" + Digest(QuantizationDetailsBytes(from));
  return text;
}

// The first tensor that holds each buffer, by buffer number.
struct Holder {
  SubgraphId subgraph;
  TensorId tensor;
};
std::vector<Holder> FirstHolders(const Model& model) {
  std::vector<Holder> first(model.buffers.size());
  for (size_t s = 0; s < model.subgraphs.size(); ++s) {
    for (size_t t = 0; t < model.subgraphs[s].tensors.size(); ++t) {
      Holder& holder = first[model.subgraphs[s].tensors[t].buffer.index()];
      if (!holder.tensor.valid()) holder = {SubgraphId(s), TensorId(t)};
    }
  }
  return first;
}

// "" for the first holder of the buffer.
std::string SharingText(SubgraphId subgraph, TensorId id, const Holder& first) {
  if (first.subgraph != subgraph)
    return absl::StrFormat(" shared with subgraph %d %%%d", first.subgraph.value, first.tensor.value);
  return first.tensor == id ? "" : absl::StrFormat(" shared with %%%d", first.tensor.value);
}

// How the values of constants are told.
enum class Constants { kDigest, kSize };

std::string TensorText(const Model& model, const Tensor& tensor, Constants constants) {
  std::string text =
      absl::StrFormat("%s %s[%s]", Quoted(tensor.name), TensorTypeName(tensor.type), absl::StrJoin(tensor.shape, ","));
  if (!tensor.shape_signature.empty())
    text += absl::StrFormat(" signature=[%s]", absl::StrJoin(tensor.shape_signature, ","));
  if (tensor.has_rank) text += " ranked";
  if (tensor.is_variable) text += " variable";
  text += QuantizationText(tensor.quantization);
  if (tensor.sparsity != nullptr) text += " sparse=" + Digest(SparsityBytes(tensor));
  if (!tensor.variant_tensors.empty()) text += " variants=" + Digest(VariantTensorsBytes(tensor));
  if (model.IsConstant(tensor)) {
    const auto bytes = model.buffer(tensor.buffer).bytes();
    text += absl::StrFormat(" = %d bytes", bytes.size());
    if (constants == Constants::kDigest) text += " " + Digest(bytes);
  }
  return text;
}

// The fields people ask about, in words; the digest behind them covers every field.
std::string OptionsText(const Op& op) {
  static constexpr const char* kActivations[] = {"", " RELU", " RELU_N1_TO_1", " RELU6", " TANH", " SIGN_BIT"};
  const std::string type = OptionsTypeName(op.options);
  if (type.empty()) return "";
  std::string text = " {" + type;
  if (const auto conv = GetConvOptions(op)) {
    text += absl::StrFormat(" %s stride=%dx%d", conv->same_padding ? "SAME" : "VALID", conv->stride_h, conv->stride_w);
    if (conv->dilation_h != 1 || conv->dilation_w != 1)
      text += absl::StrFormat(" dilation=%dx%d", conv->dilation_h, conv->dilation_w);
  }
  if (const auto pool = GetPoolOptions(op))
    text += absl::StrFormat(" %s filter=%dx%d stride=%dx%d", pool->same_padding ? "SAME" : "VALID", pool->filter_h,
                            pool->filter_w, pool->stride_h, pool->stride_w);
  if (const auto axis = GetConcatenationAxis(op)) text += absl::StrFormat(" axis=%d", *axis);
  if (const auto beta = GetSoftmaxBeta(op)) text += absl::StrFormat(" beta=%.9g", *beta);
  for (SubgraphId id : ReferencedSubgraphs(op)) text += absl::StrFormat(" subgraph=%d", id.value);
  text += kActivations[std::min<size_t>(static_cast<size_t>(FusedActivation(op)), 5)];
  return text + " " + Digest(OptionsBytes(op.options)) + "}";
}

std::string OpText(const Op& op) {
  std::string text = absl::StrFormat("%s = %s", Ids(op.outputs), OpKindName(op.kind));
  if (!op.custom_code.empty()) text += " " + Quoted(op.custom_code);
  text += absl::StrFormat(" v%d(%s)", op.version, Ids(op.inputs));
  if (!op.intermediates.empty()) text += " intermediates=(" + Ids(op.intermediates) + ")";
  if (!op.mutating_variable_inputs.empty()) {
    text += " mutates=";
    for (bool mutates : op.mutating_variable_inputs) text += mutates ? '1' : '0';
  }
  text += OptionsText(op);
  if (op.debug_metadata_index != -1) text += absl::StrFormat(" debug=%d", op.debug_metadata_index);
  return text;
}

void AppendSubgraph(const Model& model, SubgraphId id, const std::vector<Holder>& first, Constants constants,
                    std::string& out) {
  const Subgraph& subgraph = model.subgraph(id);
  absl::StrAppendFormat(&out, "subgraph %d %s (%s) -> (%s)", id.value, Quoted(subgraph.name), Ids(subgraph.inputs),
                        Ids(subgraph.outputs));
  if (subgraph.debug_metadata_index != -1) absl::StrAppendFormat(&out, " debug=%d", subgraph.debug_metadata_index);
  out += '\n';
  for (size_t t = 0; t < subgraph.tensors.size(); ++t) {
    const Tensor& tensor = subgraph.tensors[t];
    absl::StrAppendFormat(&out, "  %%%d %s", t, TensorText(model, tensor, constants));
    if (model.IsConstant(tensor)) out += SharingText(id, TensorId(t), first[tensor.buffer.index()]);
    out += '\n';
  }
  for (size_t i = 0; i < subgraph.ops.size(); ++i)
    absl::StrAppendFormat(&out, "  %d: %s\n", i, OpText(subgraph.ops[i]));
}

std::string Entries(const std::vector<SignatureEntry>& entries) {
  return absl::StrJoin(entries, " ", [](std::string* out, const SignatureEntry& entry) {
    absl::StrAppendFormat(out, "%s=%%%d", Quoted(entry.name), entry.tensor.value);
  });
}

std::string Dump(const Model& model, Constants constants) {
  std::string out = absl::StrFormat("model %s\n", Quoted(model.description));
  for (const Signature& signature : model.signatures)
    absl::StrAppendFormat(&out, "signature %s subgraph %d (%s) -> (%s)\n", Quoted(signature.key),
                          signature.subgraph.value, Entries(signature.inputs), Entries(signature.outputs));
  for (const Metadata& metadata : model.metadata) {
    const auto bytes = model.buffer(metadata.buffer).bytes();
    absl::StrAppendFormat(&out, "metadata %s = %d bytes %s\n", Quoted(metadata.name), bytes.size(), Digest(bytes));
  }
  for (BufferId id : model.metadata_buffers) {
    const auto bytes = model.buffer(id).bytes();
    absl::StrAppendFormat(&out, "metadata_buffer = %d bytes %s\n", bytes.size(), Digest(bytes));
  }
  const std::vector<Holder> first = FirstHolders(model);
  for (size_t i = 0; i < model.subgraphs.size(); ++i) AppendSubgraph(model, SubgraphId(i), first, constants, out);
  return out;
}

bool HaveSameBuffers(const Model& a, const Model& b) {
  return std::equal(a.buffers.begin(), a.buffers.end(), b.buffers.begin(), b.buffers.end(),
                    [](const Buffer& x, const Buffer& y) { return x.bytes() == y.bytes(); });
}

}  // namespace

std::string DumpModel(const Model& model) { return Dump(model, Constants::kDigest); }

bool IsSameModel(const Model& a, const Model& b) {
  return HaveSameBuffers(a, b) && Dump(a, Constants::kSize) == Dump(b, Constants::kSize);
}

}  // namespace lathe

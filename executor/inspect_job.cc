#include <algorithm>
#include <map>
#include <tuple>

#include "common/digest.h"
#include "common/file.h"
#include "executor/compressed_size.h"
#include "executor/job.h"
#include "executor/model_size.h"
#include "optimizer/compatibility/compatibility.h"
#include "optimizer/model/dump.h"
#include "optimizer/model/model_reader.h"
#include "wire/compatibility_report.h"
#include "wire/size_report.h"

namespace lathe {
namespace {

void DescribeTensor(const Tensor& tensor, const std::string& signature_name, v1::TensorSummary* summary) {
  summary->set_name(tensor.name);
  summary->set_signature_name(signature_name);
  summary->set_type(TensorTypeLabel(tensor.type));
  const std::vector<int32_t>& shape = tensor.shape_signature.empty() ? tensor.shape : tensor.shape_signature;
  for (int32_t dimension : shape) summary->add_shape(dimension);
  if (tensor.quantization.scale.empty()) return;
  v1::QuantizationSummary* quantization = summary->mutable_quantization();
  for (float scale : tensor.quantization.scale) quantization->add_scales(static_cast<double>(scale));
  for (int64_t zero_point : tensor.quantization.zero_point) quantization->add_zero_points(zero_point);
  quantization->set_axis(tensor.quantization.quantized_dimension);
}

void DescribeSubgraphs(const Model& model, v1::ModelSummary* summary) {
  for (const Subgraph& subgraph : model.subgraphs) {
    v1::SubgraphSummary* row = summary->add_subgraphs();
    row->set_name(subgraph.name);
    for (TensorId id : subgraph.inputs) DescribeTensor(subgraph.tensor(id), "", row->add_inputs());
    for (TensorId id : subgraph.outputs) DescribeTensor(subgraph.tensor(id), "", row->add_outputs());
    row->set_operator_count(subgraph.ops.size());
    row->set_tensor_count(subgraph.tensors.size());
  }
  for (const Signature& signature : model.signatures) {
    v1::SignatureSummary* row = summary->add_signatures();
    row->set_key(signature.key);
    row->set_subgraph(static_cast<uint32_t>(signature.subgraph.value));
    const Subgraph& subgraph = model.subgraph(signature.subgraph);
    for (const SignatureEntry& entry : signature.inputs) {
      DescribeTensor(subgraph.tensor(entry.tensor), entry.name, row->add_inputs());
    }
    for (const SignatureEntry& entry : signature.outputs) {
      DescribeTensor(subgraph.tensor(entry.tensor), entry.name, row->add_outputs());
    }
  }
}

void CountOperators(const Model& model, v1::ModelSummary* summary) {
  using Key = std::tuple<std::string, int32_t, std::string, std::string>;
  std::map<Key, uint64_t> counts;
  uint64_t operators = 0, tensors = 0;
  for (const Subgraph& subgraph : model.subgraphs) {
    operators += subgraph.ops.size();
    tensors += subgraph.tensors.size();
    for (const Op& op : subgraph.ops) {
      std::string kind = op.kind == OpKind::kCustom ? "CUSTOM:" + op.custom_code : std::string(OpKindName(op.kind));
      std::string in, out;
      if (op.input(0).valid()) in = TensorTypeLabel(subgraph.tensor(op.inputs[0]).type);
      if (!op.outputs.empty() && op.outputs[0].valid()) out = TensorTypeLabel(subgraph.tensor(op.outputs[0]).type);
      ++counts[{std::move(kind), op.version, std::move(in), std::move(out)}];
    }
  }
  std::vector<std::pair<Key, uint64_t>> rows(counts.begin(), counts.end());
  std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  for (const auto& [key, count] : rows) {
    v1::OperatorCount* row = summary->add_operators();
    row->set_kind(std::get<0>(key));
    row->set_version(static_cast<uint32_t>(std::get<1>(key)));
    row->set_count(count);
    if (!std::get<2>(key).empty()) row->add_types(std::get<2>(key));
    if (!std::get<3>(key).empty()) row->add_types(std::get<3>(key));
  }
  summary->set_operator_count(operators);
  summary->set_tensor_count(tensors);
}

void CountWeights(const Model& model, v1::ModelSummary* summary) {
  std::map<std::string, std::pair<uint64_t, uint64_t>> types;  // bytes, tensors
  std::vector<bool> seen(model.buffers.size());                // a shared buffer counts once
  bool quantized = false;
  for (const Subgraph& subgraph : model.subgraphs) {
    for (const Tensor& tensor : subgraph.tensors) {
      quantized |= tensor.quantization.IsQuantized();
      if (!model.IsConstant(tensor)) continue;
      quantized |= tensor.type == TensorType::kFloat16;
      auto& [bytes, count] = types[TensorTypeLabel(tensor.type)];
      ++count;
      if (seen[tensor.buffer.index()]) continue;
      seen[tensor.buffer.index()] = true;
      bytes += model.buffer(tensor.buffer).bytes().size();
    }
  }
  uint64_t total = 0;
  std::vector<std::pair<std::string, std::pair<uint64_t, uint64_t>>> rows(types.begin(), types.end());
  std::stable_sort(rows.begin(), rows.end(),
                   [](const auto& a, const auto& b) { return a.second.first > b.second.first; });
  for (const auto& [type, numbers] : rows) {
    v1::TypeBytes* row = summary->add_weights();
    row->set_type(type);
    row->set_bytes(numbers.first);
    row->set_tensors(numbers.second);
    total += numbers.first;
  }
  summary->set_weights_bytes(total);
  summary->set_quantized(quantized);
}

void DescribeTargets(const Model& model, v1::Recipe::Target wanted, v1::ModelSummary* summary) {
  for (Target target : kTargets) {
    if (wanted != v1::Recipe::TARGET_UNSPECIFIED && TargetFromProto(wanted) != target) continue;
    const bool rows = wanted != v1::Recipe::TARGET_UNSPECIFIED;
    *summary->add_targets() = TargetToProto(CheckTarget(model, target), rows);
  }
}

absl::StatusOr<std::shared_ptr<const MappedFile>> OpenModel(const JobContext& context, const std::string& relative) {
  LATHE_ASSIGN_OR_RETURN(std::string path, context.Path(relative));
  return MappedFile::Open(path);
}

}  // namespace

absl::StatusOr<internal::v1::ExecutorResult> RunInspect(const JobContext& context) {
  context.events.BeginPhase("read", 0, 1);
  LATHE_ASSIGN_OR_RETURN(std::shared_ptr<const MappedFile> file, OpenModel(context, context.spec.inspect().model()));
  LATHE_ASSIGN_OR_RETURN(Model model, ReadModel(file));
  internal::v1::ExecutorResult result;
  v1::ModelSummary* summary = result.mutable_inspection();
  summary->set_bytes(file->bytes().size());
  Sha256 digest;
  digest.Update(file->bytes());
  summary->set_sha256(HexDigest(digest.Finish()));
  summary->set_description(model.description);
  summary->set_schema_version(3);  // the only one that the reader takes
  DescribeSubgraphs(model, summary);
  CountOperators(model, summary);
  CountWeights(model, summary);
  DescribeTargets(model, context.spec.inspect().target(), summary);
  LATHE_ASSIGN_OR_RETURN(SizeOfModel size, MeasureSize(model, *file, true));
  LATHE_ASSIGN_OR_RETURN(size.zstd_bytes, ZstdBytes(file->bytes()));
  *summary->mutable_size() = SizeOfModelToProto(size);
  for (const Metadata& metadata : model.metadata) summary->add_metadata_names(metadata.name);
  if (model.signatures.empty())
    summary->add_warnings("the model has no signature; inputs are addressed by tensor name");
  return result;
}

absl::StatusOr<internal::v1::ExecutorResult> RunDump(const JobContext& context) {
  context.events.BeginPhase("read", 0, 1);
  LATHE_ASSIGN_OR_RETURN(std::shared_ptr<const MappedFile> file, OpenModel(context, context.spec.dump().model()));
  LATHE_ASSIGN_OR_RETURN(Model model, ReadModel(file));
  internal::v1::ExecutorResult result;
  result.set_dump_path("out/dump.txt");
  LATHE_RETURN_IF_ERROR(WriteFileAtomically(context.job_dir + "/out/dump.txt", DumpModel(model), Durability::kScratch));
  return result;
}

}  // namespace lathe

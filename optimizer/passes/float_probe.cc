#include "optimizer/passes/float_probe.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "optimizer/passes/channel_shape.h"
#include "optimizer/passes/weights.h"

namespace lathe {
namespace {

// Stored as real numbers, or as integers that stand for some.
bool IsReal(const Tensor& tensor) {
  return tensor.type == TensorType::kFloat32 || tensor.type == TensorType::kFloat16 ||
         tensor.quantization.IsQuantized();
}

Buffer FloatBuffer(const std::vector<float>& values) {
  std::vector<uint8_t> bytes(values.size() * sizeof(float));
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return Buffer::Owned(std::move(bytes));
}

// Weights in a form in which each output channel and what it reads can be told.
bool HasChannels(OpKind kind) { return GetWeightOperands(kind).has_value() && kind != OpKind::kEmbeddingLookup; }

}  // namespace

FloatProbe::FloatProbe(const Model& a, const Model& b)
    : a_(a), b_(b), graph_a_(a.subgraphs[0]), graph_b_(b.subgraphs[0]), uses_a_(graph_a_), uses_b_(graph_b_) {
  Begin();
}

void FloatProbe::Begin() {
  probe_ = Model();
  probe_.buffers.emplace_back();
  probe_.subgraphs.emplace_back().name = "probe";
  bytes_ = 0;
}

Model FloatProbe::Take() {
  Model model = std::move(probe_);
  Begin();
  return model;
}

FloatProbe::Constants FloatProbe::Look(const ComparedOperator& place, ProbedPlace& probed, bool describe) {
  probed.why_not = place.why_not;
  if (place.chain.empty()) {
    if (!place.data.empty()) probed.factors = factors_[place.a_outputs[0]];
    return {};
  }
  Constants constants = ReadConstants(place, probed, describe);
  if (probed.why_not.empty()) probed.why_not = constants.why_not;
  if (probed.factors.empty()) probed.factors = PassedFactors(place);
  if (!probed.factors.empty()) {
    for (TensorId id : place.a_outputs) factors_[id] = probed.factors;
  }
  return constants;
}

ProbedPlace FloatProbe::Follow(const ComparedOperator& place) {
  ProbedPlace probed;
  Look(place, probed, false);
  return probed;
}

ProbedPlace FloatProbe::Add(const ComparedOperator& place) {
  ProbedPlace probed;
  const Constants constants = Look(place, probed, true);
  if (place.chain.empty() || !probed.why_not.empty()) return probed;

  std::vector<TensorId> data;
  for (const ComparedOperator::DataOperand& operand : place.data) {
    data.push_back(AddTensor(graph_a_.tensor(operand.a)));
    probed.inputs.push_back(probe_.subgraphs[0].inputs.size());
    probe_.subgraphs[0].inputs.push_back(data.back());
  }
  const auto differs = [&](bool bias) {
    return std::any_of(constants.operands.begin(), constants.operands.end(),
                       [&](const Operand& operand) { return operand.is_bias == bias && operand.differs(); });
  };
  probed.own = AddVariant(place, data, constants, false, false);
  if (differs(false)) probed.weights = AddVariant(place, data, constants, true, false);
  if (differs(true)) probed.all = AddVariant(place, data, constants, true, true);
  return probed;
}

FloatProbe::Constants FloatProbe::ReadConstants(const ComparedOperator& place, ProbedPlace& probed, bool describe) {
  Constants constants;
  const Op &a = graph_a_.ops[place.a.index()], &b = graph_b_.ops[place.b.index()];
  const auto known = GetWeightOperands(a.kind);
  const size_t bias = known && known->bias ? *known->bias : SIZE_MAX;
  size_t count = a.inputs.size();
  if (bias != SIZE_MAX && b.input(bias).valid()) count = std::max(count, bias + 1);
  for (size_t position = 0; position < count; ++position) {
    const bool is_data = std::any_of(place.data.begin(), place.data.end(),
                                     [&](const auto& operand) { return operand.position == position; });
    if (is_data) continue;
    ReadOperand(a, b, position, position == bias, constants);
    if (!constants.why_not.empty() || constants.operands.empty()) continue;
    Operand& operand = constants.operands.back();
    if (operand.position != position || operand.is_bias || operand.copied.valid()) continue;
    if (const auto stored = ReadStoredConstant(b_, graph_b_, uses_b_, b.input(position))) {
      if (HasChannels(a.kind)) Rescale(place, *stored, operand, probed);
      if (describe) Describe(a, *stored, operand, probed);
    }
  }
  for (Operand& operand : constants.operands) {
    if (!operand.is_bias || probed.factors.size() != operand.own.size()) continue;
    for (size_t i = 0; i < operand.own.size(); ++i) operand.own[i] *= probed.factors[i];
  }
  return constants;
}

void FloatProbe::ReadOperand(const Op& a, const Op& b, size_t position, bool is_bias, Constants& constants) {
  const TensorId id = a.input(position);
  if (id.valid() && graph_a_.tensor(id).is_variable) return;  // state: the probe has its own
  Operand operand;
  operand.position = position;
  operand.is_bias = is_bias;
  const auto own = ReadStoredConstant(a_, graph_a_, uses_a_, id);
  const auto stored = ReadStoredConstant(b_, graph_b_, uses_b_, b.input(position));
  if (!own && id.valid()) {
    if (!a_.IsConstant(graph_a_.tensor(id)) || IsReal(graph_a_.tensor(id)) || graph_a_.tensor(id).sparsity != nullptr) {
      constants.why_not = "a constant of it is stored in a form that is not read here";
      return;
    }
    operand.copied = id;
    constants.operands.push_back(std::move(operand));
    return;
  }
  if (!own && !stored) return;  // left out in both
  if (!is_bias && (!own || !stored || own->values.size() != stored->values.size())) {
    constants.why_not = "its constants differ in form, or are stored in a form that is not read here";
    return;
  }
  operand.shape = own ? own->shape : stored->shape;
  const size_t size = own ? own->values.size() : stored->values.size();
  operand.own = own ? own->values : std::vector<float>(size, 0.0f);
  operand.stored = stored ? stored->values : std::vector<float>(size, 0.0f);
  if (operand.stored.size() != size) {
    constants.why_not = "its bias has another size";
    return;
  }
  constants.operands.push_back(std::move(operand));
}

// The weights of a as equalization would have left them, so that only rounding is left between them and b's.
void FloatProbe::Rescale(const ComparedOperator& place, const StoredConstant& stored, Operand& weights,
                         ProbedPlace& probed) {
  const Op& op = graph_a_.ops[place.a.index()];
  const WeightOperands operands = *GetWeightOperands(op.kind);
  if (static_cast<size_t>(operands.axis) >= weights.shape.size() || operands.weights != weights.position) return;
  const WeightChannels channels(op.kind, weights.shape, operands.axis);
  const auto data = std::find_if(place.data.begin(), place.data.end(),
                                 [&](const auto& operand) { return operand.position == operands.data; });
  if (data != place.data.end()) {
    if (const auto found = factors_.find(data->a); found != factors_.end())
      channels.DivideInputs(found->second, weights.own);
  }
  const std::vector<float> factors = FindChannelFactors(weights.own, stored, channels.layout());
  if (factors.empty()) return;
  channels.MultiplyOutputs(factors, weights.own);
  probed.factors = factors;
}

void FloatProbe::Describe(const Op& op, const StoredConstant& stored, const Operand& operand,
                          ProbedPlace& probed) const {
  const auto known = GetWeightOperands(op.kind);
  if (known && known->weights != operand.position) return;
  math::ChannelLayout layout = {1, 1, static_cast<int64_t>(operand.own.size())};
  if (HasChannels(op.kind) && static_cast<size_t>(known->axis) < operand.shape.size()) {
    layout = WeightChannels(op.kind, operand.shape, known->axis).layout();
  }
  if (operand.own.empty()) return;
  probed.weight_type = stored.type;
  probed.weight_scale_shared = stored.scales.size() == 1 && layout.channels > 1;
  if (!operand.differs()) return;
  std::vector<WeightDeviation> deviations = FindWeightDeviations(operand.own, stored, layout);
  // Of several constants the one with the largest share stands for all.
  if (probed.deviations.empty() || deviations[0].range_share > probed.deviations[0].range_share) {
    probed.deviations = std::move(deviations);
  }
}

std::vector<float> FloatProbe::PassedFactors(const ComparedOperator& place) const {
  const Op& op = graph_a_.ops[place.a.index()];
  if (place.a_outputs.empty() || !KeepsChannels(op.kind)) return {};
  std::vector<float> factors;
  for (const ComparedOperator::DataOperand& operand : place.data) {
    const auto found = factors_.find(operand.a);
    const bool joins = op.kind == OpKind::kConcatenation;
    if (found == factors_.end()) {
      if (!joins) continue;
      const std::vector<int32_t>& shape = graph_a_.tensor(operand.a).shape;
      factors.insert(factors.end(), shape.empty() ? 1 : static_cast<size_t>(std::max(shape.back(), 1)), 1.0f);
    } else if (joins) {
      factors.insert(factors.end(), found->second.begin(), found->second.end());
    } else if (factors.empty()) {
      factors = found->second;
    }
  }
  if (std::all_of(factors.begin(), factors.end(), [](float factor) { return factor == 1.0f; })) return {};
  // A flattened tensor has the channels over and over.
  const std::vector<int32_t>& shape = graph_a_.tensor(place.a_outputs[0]).shape;
  const size_t last = shape.empty() ? 1 : static_cast<size_t>(std::max(shape.back(), 1));
  if (last % factors.size() != 0) return {};
  const size_t count = factors.size();
  factors.resize(last);
  for (size_t i = count; i < last; ++i) factors[i] = factors[i % count];
  return factors;
}

std::vector<size_t> FloatProbe::AddVariant(const ComparedOperator& place, const std::vector<TensorId>& data,
                                           const Constants& constants, bool weights, bool bias) {
  std::map<TensorId, TensorId> made;  // a's tensors that the chain writes
  for (OpId id : place.chain) {
    Op op = graph_a_.ops[id.index()];
    op.intermediates.clear();
    op.debug_metadata_index = -1;
    for (size_t position = 0; position < op.inputs.size(); ++position) {
      const TensorId from = op.inputs[position];
      if (!from.valid()) continue;
      if (const auto inner = made.find(from); inner != made.end()) {
        op.inputs[position] = inner->second;
      } else if (graph_a_.tensor(from).is_variable) {
        op.inputs[position] = AddTensor(graph_a_.tensor(from));
      } else if (id != place.a && a_.IsConstant(graph_a_.tensor(from))) {  // of a PAD
        op.inputs[position] = AddConstant({.position = position, .copied = from}, false);
      }
    }
    for (size_t i = 0; i < place.data.size(); ++i) {
      const size_t position = place.data[i].reader == id ? place.data[i].position : SIZE_MAX;
      if (position < op.inputs.size()) op.inputs[position] = data[i];
    }
    if (id == place.a) {
      for (const Operand& operand : constants.operands) {
        if (op.inputs.size() <= operand.position) op.inputs.resize(operand.position + 1);
        op.inputs[operand.position] = AddConstant(operand, operand.is_bias ? bias : weights);
      }
    }
    for (TensorId& output : op.outputs) {
      if (!output.valid()) continue;
      const TensorId result = AddTensor(graph_a_.tensor(output));
      made[output] = result;
      output = result;
    }
    probe_.subgraphs[0].ops.push_back(std::move(op));
  }
  std::vector<size_t> outputs;
  for (TensorId id : place.a_outputs) {
    outputs.push_back(probe_.subgraphs[0].outputs.size());
    probe_.subgraphs[0].outputs.push_back(made[id]);
  }
  return outputs;
}

TensorId FloatProbe::AddTensor(const Tensor& like) {
  Tensor tensor;
  tensor.type = IsReal(like) ? TensorType::kFloat32 : like.type;
  tensor.shape = like.shape;
  tensor.has_rank = like.has_rank;
  tensor.is_variable = like.is_variable;
  for (size_t i = 0; i < tensor.shape.size(); ++i) {
    const bool dynamic = i < like.shape_signature.size() && like.shape_signature[i] < 0;
    if (dynamic || tensor.shape[i] < 1) tensor.shape[i] = 1;
  }
  bytes_ += 2 * sizeof(float) * static_cast<uint64_t>(tensor.NumElements());  // the runtime's and the buffer's
  std::vector<Tensor>& tensors = probe_.subgraphs[0].tensors;
  tensor.name = absl::StrFormat("t%d", tensors.size());
  tensors.push_back(std::move(tensor));
  return TensorId(tensors.size() - 1);
}

TensorId FloatProbe::AddConstant(const Operand& operand, bool stored) {
  Tensor tensor;
  if (operand.copied.valid()) {
    const Tensor& from = graph_a_.tensor(operand.copied);
    tensor.type = from.type;
    tensor.shape = from.shape;
    probe_.buffers.push_back(a_.buffer(from.buffer));
  } else {
    tensor.shape = operand.shape;
    const std::vector<float>& values = stored ? operand.stored : operand.own;
    bytes_ += 2 * sizeof(float) * values.size();
    probe_.buffers.push_back(FloatBuffer(values));
  }
  tensor.buffer = BufferId(probe_.buffers.size() - 1);
  std::vector<Tensor>& tensors = probe_.subgraphs[0].tensors;
  tensor.name = absl::StrFormat("t%d", tensors.size());
  tensors.push_back(std::move(tensor));
  return TensorId(tensors.size() - 1);
}

}  // namespace lathe

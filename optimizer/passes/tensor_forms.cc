#include "optimizer/passes/tensor_forms.h"

#include <utility>
#include <vector>

namespace lathe {
namespace {

Quantization QuantizationOf(const Form& form) {
  Quantization quantization;
  if (form.is_float()) return quantization;
  quantization.scale = {form.params.scale};
  quantization.zero_point = {form.params.zero_point};
  return quantization;
}

// QUANTIZE has no kernel between uint8 and int16: the way leads over int8.
Form StepBefore(const Form& from, const Form& to) {
  Form step = from;
  if (from.type == TensorType::kUint8 && to.type == TensorType::kInt16) {
    step.type = TensorType::kInt8;
    step.params.zero_point -= 128;
  } else if (from.type == TensorType::kInt16 && to.type == TensorType::kUint8) {
    step = to;
    step.type = TensorType::kInt8;
    step.params.zero_point -= 128;
  }
  return step;
}

}  // namespace

TensorId TensorForms::SetHome(TensorId tensor, const Form& form) {
  homes_[tensor] = form;
  return made_[KeyOf(tensor, form)] = Make(tensor, form);
}

void TensorForms::SetSource(TensorId tensor, const Form& form, TensorId source) {
  homes_[tensor] = form;
  made_[KeyOf(tensor, form)] = source;
}

void TensorForms::MakeKept(TensorId tensor) {
  const auto kept = kept_.find(tensor);
  const Form form = kept == kept_.end() ? Form::Float() : kept->second;
  if (homes_.contains(tensor) && !(homes_[tensor] == form)) Get(tensor, form);
}

TensorId TensorForms::Get(TensorId tensor, const Form& form) {
  if (const auto found = made_.find(KeyOf(tensor, form)); found != made_.end()) return found->second;
  if (model_.IsConstant(graph().tensor(tensor))) {
    return made_[KeyOf(tensor, form)] = form.is_float() ? tensor : MakeConstant(tensor, form);
  }
  const Form home = homes_.contains(tensor) ? homes_[tensor] : Form::Float();
  if (form == home) return tensor;
  const TensorId result = Make(tensor, form);
  made_[KeyOf(tensor, form)] = result;
  Convert(tensor, home, form, result);
  return result;
}

// The tensor itself where the form is the one it keeps, else a new one.
TensorId TensorForms::Make(TensorId tensor, const Form& form) {
  const auto kept = kept_.find(tensor);
  if (form == (kept == kept_.end() ? Form::Float() : kept->second)) {
    if (!form.is_float()) editor_.Retype(tensor, form.type, QuantizationOf(form));
    return tensor;
  }
  Tensor made = graph().tensor(tensor);
  made.name = NameFor(tensor, form.type);
  made.type = form.type;
  made.buffer = BufferId(0);
  made.quantization = QuantizationOf(form);
  return editor_.AddTensor(std::move(made));
}

TensorId TensorForms::MakeConstant(TensorId tensor, const Form& form) {
  const TensorId made = Make(tensor, form);
  const absl::Span<const float> values = model_.FloatData(graph().tensor(tensor));
  std::vector<uint8_t> data(values.size() * (form.type == TensorType::kInt16 ? 2 : 1));
  if (form.type == TensorType::kInt16) {
    math::QuantizeInt16(values, form.params.scale,
                        absl::MakeSpan(reinterpret_cast<int16_t*>(data.data()), values.size()));
  } else {
    math::QuantizeInt8(values, form.params, absl::MakeSpan(reinterpret_cast<int8_t*>(data.data()), values.size()));
  }
  editor_.SetData(made, std::move(data));
  return made;
}

// Right after the producer; first of all for the subgraph's inputs.
void TensorForms::Convert(TensorId tensor, const Form& from, const Form& to, TensorId result) {
  Op op;
  op.kind = to.is_float() ? OpKind::kDequantize : OpKind::kQuantize;
  op.inputs = {Get(tensor, StepBefore(from, to))};
  op.outputs = {result};
  const bool wide = from.type == TensorType::kInt16 || to.type == TensorType::kInt16;
  op.version = wide ? 2 : 1;  // of QUANTIZE, as MinimalVersion says
  if (to.is_float()) op.version = wide ? 3 : from.type == TensorType::kInt8 ? 2 : 1;
  const OpId producer = uses_.producer(tensor);
  if (producer.valid()) {
    editor_.InsertAfter(producer, std::move(op));
  } else {
    editor_.InsertFirst(std::move(op));
  }
}

std::string TensorForms::NameFor(TensorId tensor, TensorType type) {
  const std::string name = absl::StrFormat("%s_%s", graph().tensor(tensor).name,
                                           type == TensorType::kFloat32 ? "float" : TensorTypeLabel(type));
  const int count = ++names_[name];
  return count == 1 ? name : absl::StrFormat("%s_%d", name, count);
}

}  // namespace lathe

#ifndef LATHE_OPTIMIZER_PASSES_TENSOR_FORMS_H_
#define LATHE_OPTIMIZER_PASSES_TENSOR_FORMS_H_

#include <cstdint>
#include <map>
#include <string>
#include <tuple>

#include "optimizer/math/quantize.h"
#include "optimizer/model/graph_editor.h"
#include "optimizer/model/model.h"
#include "optimizer/model/uses.h"

namespace lathe {

// In which type and on which grid a tensor's values are stored. FLOAT32 has no grid.
struct Form {
  TensorType type = TensorType::kFloat32;
  math::AffineParams params = {};

  static Form Float() { return {}; }
  static Form Integer(int bits, math::AffineParams params) {
    return {.type = bits == 16 ? TensorType::kInt16 : TensorType::kInt8, .params = params};
  }
  bool is_float() const { return type == TensorType::kFloat32; }
  bool operator==(const Form&) const = default;
};

// The forms in which the float tensors of subgraph 0 exist while operators become integer. Each is made once: by the
// operator that writes the tensor (its home), or from there by one QUANTIZE or DEQUANTIZE right after it, or, for
// constants, by quantizing the values. The tensor itself, with its name and its places in signatures, is given to one
// form; the others get tensors of their own, named after it.
class TensorForms {
 public:
  // What may change is `model`, through `editor`; `uses` is from before.
  TensorForms(Model& model, const UseMap& uses, GraphEditor& editor) : model_(model), uses_(uses), editor_(editor) {}

  // The form that the tensor itself takes; FLOAT32 unless told. To be told before the first form is made.
  void Keep(TensorId tensor, const Form& form) { kept_[tensor] = form; }

  // The producer writes the tensor in this form (subgraph inputs: what the caller of the model gives). Returns the
  // tensor that holds it. REQUIRES: before Get of other forms.
  TensorId SetHome(TensorId tensor, const Form& form);
  // The tensor's values are what `source` holds in this form: its other forms are made from there.
  void SetSource(TensorId tensor, const Form& form, TensorId source);
  // The input file writes the tensor itself in FLOAT32, besides its home.
  void HasFloat(TensorId tensor) { made_[KeyOf(tensor, Form::Float())] = tensor; }

  // Sees to it that somebody writes the tensor itself: from its home where that is another form.
  void MakeKept(TensorId tensor);

  // The tensor in this form. Tensors without a home are float.
  TensorId Get(TensorId tensor, const Form& form);

 private:
  using Key = std::tuple<TensorId, TensorType, float, int32_t>;
  static Key KeyOf(TensorId tensor, const Form& form) {
    return {tensor, form.type, form.params.scale, form.params.zero_point};
  }
  Subgraph& graph() { return model_.subgraphs[0]; }
  TensorId Make(TensorId tensor, const Form& form);
  TensorId MakeConstant(TensorId tensor, const Form& form);
  void Convert(TensorId tensor, const Form& from, const Form& to, TensorId result);
  std::string NameFor(TensorId tensor, TensorType type);

  Model& model_;
  const UseMap& uses_;
  GraphEditor& editor_;
  std::map<TensorId, Form> kept_, homes_;
  std::map<Key, TensorId> made_;
  std::map<std::string, int> names_;
};

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_TENSOR_FORMS_H_

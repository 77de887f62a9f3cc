#ifndef LATHE_OPTIMIZER_PASSES_FLOAT_PROBE_H_
#define LATHE_OPTIMIZER_PASSES_FLOAT_PROBE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "optimizer/model/model.h"
#include "optimizer/model/uses.h"
#include "optimizer/passes/compared_operators.h"
#include "optimizer/passes/stored_constant.h"
#include "optimizer/passes/weight_deviation.h"

namespace lathe {

// Where the values of one place are in a probe (below). Each list of outputs is paired with the place's a_outputs.
struct ProbedPlace {
  std::vector<size_t> inputs;   // of the probe, one for each data operand of the place
  std::vector<size_t> own;      // with a's constants. Empty: the operator is not in the probe
  std::vector<size_t> weights;  // with b's weights and a's bias; empty: b's weights are the same
  std::vector<size_t> all;      // with b's weights and b's bias; empty: b's bias is the same
  // b's tensors hold that many times the values of a's, by last dimension; empty: the same values.
  std::vector<float> factors;
  // Of b's weights: by output channel, or one for all; empty: there are none, or they are a's.
  std::vector<WeightDeviation> deviations;
  // How b stores the weights; FLOAT32 where there are none.
  TensorType weight_type = TensorType::kFloat32;
  bool weight_scale_shared = false;  // one scale for several output channels
  std::string why_not;               // why it is not in the probe, "" when it is
};

// Makes models in which operators of a stand side by side, in float, each with inputs of its own: fed with what b's
// operators read, they say what an exact operator would make of it. Constants are real numbers: of a, then b's weights,
// then b's bias too. Where b's weights were equalized (FindChannelFactors), a's are rescaled alike, so that differences
// are those of rounding; the factors follow the values through operators that keep channels apart. One model a Take.
class FloatProbe {
 public:
  // The models must outlive it, and the models taken.
  FloatProbe(const Model& a, const Model& b);

  // Puts a place of FindComparedOperators(a, b) into the probe. REQUIRES: in their order, but one may come again in a
  // later model.
  ProbedPlace Add(const ComparedOperator& place);
  // Only looks at a place, so that factors go on through it: what Add says of factors, with nothing in the probe.
  ProbedPlace Follow(const ComparedOperator& place);
  // What running the probe so far takes, about: constants and activations.
  uint64_t bytes() const { return bytes_; }
  bool empty() const { return probe_.subgraphs[0].ops.empty(); }
  // The model so far, which verifies; then begins another.
  Model Take();

 private:
  // A constant operand of a's operator in the forms that it takes.
  struct Operand {
    size_t position = 0;
    bool is_bias = false;
    TensorId copied = {};  // of a, as it is: shapes, indices. Invalid: real numbers
    std::vector<int32_t> shape = {};
    std::vector<float> own = {}, stored = {};  // a's (rescaled like b's) and b's
    bool differs() const { return own != stored; }
  };
  struct Constants {
    std::vector<Operand> operands;
    std::string why_not;
  };

  // Constants, factors, and why the operator cannot be in the probe.
  Constants Look(const ComparedOperator& place, ProbedPlace& probed, bool describe);
  Constants ReadConstants(const ComparedOperator& place, ProbedPlace& probed, bool describe);
  void ReadOperand(const Op& a, const Op& b, size_t position, bool is_bias, Constants& constants);
  void Rescale(const ComparedOperator& place, const StoredConstant& stored, Operand& weights, ProbedPlace& probed);
  void Describe(const Op& op, const StoredConstant& stored, const Operand& operand, ProbedPlace& probed) const;
  std::vector<float> PassedFactors(const ComparedOperator& place) const;
  std::vector<size_t> AddVariant(const ComparedOperator& place, const std::vector<TensorId>& data,
                                 const Constants& constants, bool weights, bool bias);
  TensorId AddTensor(const Tensor& like);
  TensorId AddConstant(const Operand& operand, bool stored);
  void Begin();

  const Model &a_, &b_;
  const Subgraph &graph_a_, &graph_b_;
  const UseMap uses_a_, uses_b_;
  std::map<TensorId, std::vector<float>> factors_;  // of a's tensors
  Model probe_;
  uint64_t bytes_ = 0;
};

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_FLOAT_PROBE_H_

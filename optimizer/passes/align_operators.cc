#include "optimizer/passes/align_operators.h"

#include <algorithm>
#include <cstdint>

#include "optimizer/passes/stored_constant.h"

namespace lathe {
namespace {

constexpr size_t kCellsMax = size_t{32} << 20;
// A pair is worth more than any names; equal names decide between repeated blocks.
constexpr int kPair = 8, kSameName = 3, kSameShape = 1;

// What of one model is compared.
class Side {
 public:
  explicit Side(const Model& model) : model_(model), graph_(model.subgraphs[0]), uses_(graph_) {
    const std::vector<bool> constant = FindConstantTensors(model, graph_);
    for (size_t i = 0; i < graph_.ops.size(); ++i) {
      const Op& op = graph_.ops[i];
      if (IsConversion(op)) continue;
      const bool computes = op.outputs.empty() || std::any_of(op.outputs.begin(), op.outputs.end(), [&](TensorId id) {
                              return id.valid() && !constant[id.index()];
                            });
      if (computes) ops_.emplace_back(i);
    }
  }

  size_t size() const { return ops_.size(); }
  OpId id(size_t i) const { return ops_[i]; }
  const Op& op(size_t i) const { return graph_.ops[ops_[i].index()]; }
  const Tensor& tensor(TensorId id) const { return graph_.tensor(id); }
  // The stored constant behind an operand; null: none.
  const Tensor* Constant(size_t i, size_t operand) const {
    const TensorId id = FindStoredConstant(model_, graph_, uses_, op(i).input(operand));
    return id.valid() ? &graph_.tensor(id) : nullptr;
  }

 private:
  const Model& model_;
  const Subgraph& graph_;
  const UseMap uses_;
  std::vector<OpId> ops_;
};

bool SameOutputs(const Side& a, size_t i, const Side& b, size_t j) {
  const Op &x = a.op(i), &y = b.op(j);
  if (x.outputs.size() != y.outputs.size()) return false;
  for (size_t k = 0; k < x.outputs.size(); ++k) {
    if (x.outputs[k].valid() != y.outputs[k].valid()) return false;
    if (!x.outputs[k].valid()) continue;
    const Tensor &p = a.tensor(x.outputs[k]), &q = b.tensor(y.outputs[k]);
    if (p.HasDynamicShape() || q.HasDynamicShape()) continue;
    if (p.NumElements() != q.NumElements()) return false;
  }
  return true;
}

// Matrices and kernels only: scalars and biases may be stored in one file and computed in the other.
bool SameConstants(const Side& a, size_t i, const Side& b, size_t j) {
  for (size_t k = 0; k < std::min(a.op(i).inputs.size(), b.op(j).inputs.size()); ++k) {
    const Tensor *p = a.Constant(i, k), *q = b.Constant(j, k);
    if (p == nullptr || q == nullptr || p->shape.size() < 2) continue;
    if (p->shape != q->shape) return false;
  }
  return true;
}

// 0: cannot be the same operator.
int Score(const Side& a, size_t i, const Side& b, size_t j) {
  const Op &x = a.op(i), &y = b.op(j);
  if (x.kind != y.kind || x.custom_code != y.custom_code) return 0;
  if (!SameOutputs(a, i, b, j) || !SameConstants(a, i, b, j)) return 0;
  int score = kPair;
  if (x.outputs.empty() || !x.outputs[0].valid()) return score;
  const Tensor &p = a.tensor(x.outputs[0]), &q = b.tensor(y.outputs[0]);
  if (p.name == q.name) score += kSameName;
  if (p.shape == q.shape) score += kSameShape;
  return score;
}

enum class Step : uint8_t { kTakeBoth, kSkipA, kSkipB };

// The table of best scores of the first i operators of a and the first j of b, within `band` of the diagonal.
class AlignmentTable {
 public:
  AlignmentTable(const Side& a, const Side& b) : a_(a), b_(b) {
    const size_t rows = a.size() + 1, columns = b.size() + 1;
    band_ = rows * columns <= kCellsMax ? columns : std::max<size_t>(kCellsMax / rows / 2, 1);
    steps_.resize(rows);
    std::vector<int64_t> above(columns, 0), current(columns, 0);
    for (size_t i = 0; i < rows; ++i) {
      FillRow(i, above, current);
      std::swap(above, current);
    }
  }

  std::vector<std::pair<OpId, OpId>> Pairs() const {
    std::vector<std::pair<OpId, OpId>> pairs;
    size_t i = a_.size(), j = b_.size();
    while (i > 0 && j > 0) {
      switch (StepAt(i, j)) {
        case Step::kTakeBoth:
          pairs.emplace_back(a_.id(--i), b_.id(--j));
          break;
        case Step::kSkipA:
          --i;
          break;
        case Step::kSkipB:
          --j;
          break;
      }
    }
    std::reverse(pairs.begin(), pairs.end());
    return pairs;
  }

 private:
  struct Row {
    size_t begin = 0;
    std::vector<Step> steps;
  };

  size_t Begin(size_t i) const {
    const size_t middle = a_.size() == 0 ? 0 : i * b_.size() / a_.size();
    return middle > band_ ? middle - band_ : 0;
  }
  size_t End(size_t i) const {
    const size_t middle = a_.size() == 0 ? 0 : i * b_.size() / a_.size();
    return std::min(b_.size() + 1, middle + band_ + 1);
  }

  void FillRow(size_t i, const std::vector<int64_t>& above, std::vector<int64_t>& current) {
    Row& row = steps_[i];
    row.begin = Begin(i);
    row.steps.assign(End(i) - row.begin, Step::kSkipB);
    // Outside of the band nothing is gained: scores go on as they were.
    std::copy(above.begin(), above.end(), current.begin());
    for (size_t j = row.begin; j < End(i); ++j) {
      int64_t best = j > 0 ? current[j - 1] : 0;
      Step step = Step::kSkipB;
      if (i > 0 && (j == 0 || above[j] > best)) {
        best = above[j];
        step = Step::kSkipA;
      }
      if (i > 0 && j > 0) {
        const int score = Score(a_, i - 1, b_, j - 1);
        if (score > 0 && above[j - 1] + score > best) {
          best = above[j - 1] + score;
          step = Step::kTakeBoth;
        }
      }
      current[j] = best;
      row.steps[j - row.begin] = step;
    }
    for (size_t j = End(i); j < current.size(); ++j) current[j] = std::max(current[j], current[j - 1]);
  }

  Step StepAt(size_t i, size_t j) const {
    const Row& row = steps_[i];
    if (j < row.begin) return Step::kSkipA;
    if (j >= row.begin + row.steps.size()) return Step::kSkipB;
    return row.steps[j - row.begin];
  }

  const Side &a_, &b_;
  size_t band_ = 0;
  std::vector<Row> steps_;
};

std::vector<OpId> Others(const Side& side, const std::vector<std::pair<OpId, OpId>>& pairs, bool first) {
  std::vector<OpId> others;
  size_t next = 0;
  for (size_t i = 0; i < side.size(); ++i) {
    if (next < pairs.size() && side.id(i) == (first ? pairs[next].first : pairs[next].second)) {
      ++next;
    } else {
      others.push_back(side.id(i));
    }
  }
  return others;
}

}  // namespace

bool IsConversion(const Op& op) {
  return op.kind == OpKind::kQuantize || op.kind == OpKind::kDequantize || op.kind == OpKind::kDensify;
}

std::vector<bool> FindConstantTensors(const Model& model, const Subgraph& subgraph) {
  std::vector<bool> constant(subgraph.tensors.size(), false);
  for (size_t i = 0; i < constant.size(); ++i) constant[i] = model.IsConstant(subgraph.tensors[i]);
  for (const Op& op : subgraph.ops) {
    const bool all = !op.inputs.empty() && std::all_of(op.inputs.begin(), op.inputs.end(), [&](TensorId id) {
      return !id.valid() || (constant[id.index()] && !subgraph.tensor(id).is_variable);
    });
    if (!all) continue;
    for (TensorId id : op.outputs) {
      if (id.valid()) constant[id.index()] = true;
    }
  }
  return constant;
}

OperatorAlignment AlignOperators(const Model& a, const Model& b) {
  const Side side_a(a), side_b(b);
  OperatorAlignment alignment;
  alignment.pairs = AlignmentTable(side_a, side_b).Pairs();
  alignment.only_a = Others(side_a, alignment.pairs, true);
  alignment.only_b = Others(side_b, alignment.pairs, false);
  return alignment;
}

}  // namespace lathe

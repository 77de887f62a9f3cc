#include <algorithm>
#include <set>
#include <string_view>

#include "optimizer/model/op_kind.h"
#include "runtime/profile.h"

namespace lathe {
namespace {

// How XNNPACK's kernels begin (the runtime 2.3.0 holds these words), and the kinds of operators that become them, with
// spaces around each. The longest beginning that fits counts.
struct KernelSort {
  std::string_view beginning;
  std::string_view kinds;
};
constexpr KernelSort kSorts[] = {
    {"Abs", " ABS "},
    {"Add", " ADD "},
    {"ApproxGELU", " GELU "},
    {"ArgMax Pooling", " ARG_MAX "},
    {"Average Pooling", " AVERAGE_POOL_2D MEAN "},
    {"Bankders Rounding", " ROUND "},
    {"Batch Matrix Multiply", " BATCH_MATMUL "},
    {"Ceiling", " CEIL "},
    {"Clamp", " RELU RELU6 RELU_N1_TO_1 RELU_0_TO_1 "},
    {"Constant Pad", " PAD PADV2 "},
    {"Convert", " QUANTIZE DEQUANTIZE CAST "},
    {"Convolution", " CONV_2D "},
    {"Copy", " RESHAPE SQUEEZE EXPAND_DIMS CONCATENATION SPLIT "},
    {"Cosine", " COS "},
    {"Deconvolution", " TRANSPOSE_CONV "},
    {"Depth To Space", " DEPTH_TO_SPACE "},
    {"Divide", " DIV "},
    {"Dynamic Fully Connected", " FULLY_CONNECTED "},
    {"ELU", " ELU "},
    {"Exp", " EXP "},
    {"Floor", " FLOOR "},
    {"Fully Connected", " FULLY_CONNECTED CONV_2D "},
    {"GELU", " GELU "},
    {"HardSwish", " HARD_SWISH "},
    {"LeakyReLU", " LEAKY_RELU "},
    {"Log", " LOG "},
    {"Max Pooling", " MAX_POOL_2D "},
    {"Maximum", " MAXIMUM "},
    {"Mean", " MEAN "},
    {"Minimum", " MINIMUM "},
    {"Multiply", " MUL "},
    {"Negate", " NEG "},
    {"PReLU", " PRELU "},
    {"Power", " POW "},
    {"Reciprocal Square Root", " RSQRT "},
    {"Reduce Max", " REDUCE_MAX "},
    {"Reduce Min", " REDUCE_MIN "},
    {"Resize Bilinear", " RESIZE_BILINEAR "},
    {"Sigmoid", " LOGISTIC "},
    {"Sign", " SIGN "},
    {"Sine", " SIN "},
    {"Slice", " SLICE STRIDED_SLICE SPLIT "},
    {"Softmax", " SOFTMAX "},
    {"Space To Depth", " SPACE_TO_DEPTH "},
    {"Square", " SQUARE "},
    {"Square Root", " SQRT "},
    {"Squared Difference", " SQUARED_DIFFERENCE "},
    {"Static Expand Dims", " EXPAND_DIMS "},
    {"Static Reshape", " RESHAPE SQUEEZE EXPAND_DIMS "},
    {"Subtract", " SUB "},
    {"Sum", " SUM MEAN "},
    {"TanH", " TANH "},
    {"Transpose", " TRANSPOSE "},
};

std::string_view KindsOf(std::string_view kernel) {
  // Depthwise convolutions are told apart at the end of the name only.
  if (kernel.starts_with("Convolution") && kernel.ends_with("DWConv")) return " DEPTHWISE_CONV_2D ";
  std::string_view kinds;
  size_t longest = 0;
  for (const KernelSort& sort : kSorts) {
    if (!kernel.starts_with(sort.beginning) || sort.beginning.size() <= longest) continue;
    longest = sort.beginning.size();
    kinds = sort.kinds;
  }
  return kinds;
}

bool Fits(std::string_view kernel, OpKind kind) {
  return KindsOf(kernel).find(" " + std::string(OpKindName(kind)) + " ") != std::string_view::npos;
}

// Operators of subgraph 0 that no built-in kernel ran and whose answer depends on the inputs, by index.
std::vector<int> FindDelegated(const Model& model, absl::Span<const KernelTime> kernels) {
  std::set<int> builtin;
  bool any = false;
  for (const KernelTime& kernel : kernels) {
    any |= kernel.delegated;
    if (!kernel.delegated && kernel.subgraph == 0 && kernel.index) builtin.insert(*kernel.index);
  }
  if (!any) return {};
  const Subgraph& graph = model.subgraphs[0];
  std::vector<bool> known(graph.tensors.size());  // when the file is loaded
  std::vector<int> found;
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    const Op& op = graph.ops[i];
    const bool runs = std::any_of(op.inputs.begin(), op.inputs.end(), [&](TensorId id) {
      return id.valid() && !known[id.index()] && !model.IsConstant(graph.tensor(id));
    });
    const bool is_builtin = builtin.count(static_cast<int>(i)) > 0;
    if (runs && !is_builtin) found.push_back(static_cast<int>(i));
    for (TensorId id : op.outputs) {
      if (id.valid()) known[id.index()] = !runs && !is_builtin && !op.inputs.empty();
    }
  }
  return found;
}

// A longest common subsequence of operators and kernels: the operator (place in `ops`) of each kernel, or -1. Of
// several the one that takes what comes first.
std::vector<int> Align(const std::vector<OpKind>& ops, const std::vector<std::string_view>& kernels) {
  const size_t rows = ops.size(), columns = kernels.size();
  std::vector<std::vector<bool>> fits(rows, std::vector<bool>(columns));
  for (size_t i = 0; i < rows; ++i) {
    for (size_t k = 0; k < columns; ++k) fits[i][k] = Fits(kernels[k], ops[i]);
  }
  // best[i][k]: matches among operators from i and kernels from k on.
  std::vector<std::vector<int>> best(rows + 1, std::vector<int>(columns + 1, 0));
  for (size_t i = rows; i-- > 0;) {
    for (size_t k = columns; k-- > 0;) {
      best[i][k] = std::max(best[i + 1][k], best[i][k + 1]);
      if (fits[i][k]) best[i][k] = std::max(best[i][k], best[i + 1][k + 1] + 1);
    }
  }
  std::vector<int> matched(columns, -1);
  for (size_t i = 0, k = 0; i < rows && k < columns;) {
    if (fits[i][k] && best[i][k] == best[i + 1][k + 1] + 1) {
      matched[k++] = static_cast<int>(i++);
    } else if (best[i + 1][k] >= best[i][k + 1]) {
      ++i;
    } else {
      ++k;
    }
  }
  return matched;
}

// What aligning from the front and from the back agree on.
std::vector<int> AlignSurely(std::vector<OpKind> ops, std::vector<std::string_view> kernels) {
  std::vector<int> front = Align(ops, kernels);
  std::reverse(ops.begin(), ops.end());
  std::reverse(kernels.begin(), kernels.end());
  std::vector<int> back = Align(ops, kernels);
  std::reverse(back.begin(), back.end());
  for (size_t k = 0; k < front.size(); ++k) {
    if (back[k] < 0 || static_cast<int>(ops.size()) - 1 - back[k] != front[k]) front[k] = -1;
  }
  return front;
}

// Tables grow with the product; no real graph comes near.
constexpr size_t kCellsMax = size_t{64} << 20;

}  // namespace

void AttributeKernels(const Model& model, std::vector<KernelTime>& kernels) {
  for (const KernelTime& kernel : kernels) {
    if (!kernel.delegated && kernel.subgraph.value_or(0) != 0) return;
  }
  const std::vector<int> delegated = FindDelegated(model, kernels);
  std::vector<OpKind> ops;
  for (int index : delegated) ops.push_back(model.subgraphs[0].ops[static_cast<size_t>(index)].kind);
  std::vector<KernelTime*> inside;
  std::vector<std::string_view> names;
  for (KernelTime& kernel : kernels) {
    if (!kernel.delegated) continue;
    inside.push_back(&kernel);
    names.push_back(kernel.kernel);
  }
  if (ops.size() * names.size() > kCellsMax) return;
  const std::vector<int> matched = AlignSurely(ops, names);
  std::optional<int> before;
  for (size_t k = 0; k < inside.size(); ++k) {
    if (matched[k] >= 0) before = delegated[static_cast<size_t>(matched[k])];
    // A kernel of a sort that operators of its own have may be one of those: it stays without.
    const bool belongs = matched[k] >= 0 || std::none_of(ops.begin(), ops.end(),
                                                         [&](OpKind kind) { return Fits(inside[k]->kernel, kind); });
    if (!belongs || !before) continue;
    inside[k]->subgraph = 0;
    inside[k]->index = before;
  }
}

DelegateCoverage CountDelegated(const Model& model, absl::Span<const KernelTime> kernels) {
  std::set<std::pair<int, int>> builtin;
  for (const KernelTime& kernel : kernels) {
    if (!kernel.delegated && kernel.index) builtin.insert({kernel.subgraph.value_or(0), *kernel.index});
  }
  DelegateCoverage coverage;
  coverage.delegated = static_cast<int>(FindDelegated(model, kernels).size());
  coverage.operators = coverage.delegated + static_cast<int>(builtin.size());
  return coverage;
}

}  // namespace lathe

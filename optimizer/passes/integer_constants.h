#ifndef LATHE_OPTIMIZER_PASSES_INTEGER_CONSTANTS_H_
#define LATHE_OPTIMIZER_PASSES_INTEGER_CONSTANTS_H_

#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

#include "common/status.h"
#include "optimizer/model/graph_editor.h"
#include "optimizer/passes/weight_choices.h"
#include "optimizer/passes/weight_plan.h"

namespace lathe {

// Makes the integer constants of one subgraph and the DEQUANTIZEs behind them, each once even when several operators
// share the weights: equal forms of one buffer share their bytes. REQUIRES: model and editor outlive it.
class IntegerConstants {
 public:
  IntegerConstants(Model& model, SubgraphId subgraph, GraphEditor& editor)
      : model_(model), subgraph_(subgraph), editor_(editor) {}

  // The constant as `form` says, named as before on an operator, with the type's suffix before a DEQUANTIZE. `chosen`
  // (may be null) holds levels and scales to use instead of nearest rounding; it is followed where its width and number
  // of scales fit the form. InvalidArgument WEIGHTS_NOT_FINITE: a NaN or infinity, with the place.
  absl::StatusOr<TensorId> Get(TensorId weights, const IntegerConstant& form, const ChosenWeights* chosen);

  // What a DEQUANTIZE makes of the constant for operator `reader`; it is put before the first reader that asks.
  // REQUIRES: readers ask in execution order. `is_new` tells that it was made by this call.
  absl::StatusOr<TensorId> GetDequantized(TensorId weights, const IntegerConstant& form, const ChosenWeights* chosen,
                                          OpId reader, bool& is_new);

 private:
  struct Stored {
    BufferId buffer;
    TensorType type = TensorType::kInt8;
    Quantization quantization;
  };
  // What decides the bytes: buffer, shape, bits, granularity, axis, block size, asymmetric, min-error, chosen levels.
  using DataKey = std::tuple<BufferId, std::vector<int32_t>, int, ScaleGranularity, int32_t, int32_t, bool, bool,
                             const ChosenWeights*>;
  static DataKey KeyOf(const Tensor& tensor, const IntegerConstant& form, const ChosenWeights* chosen);

  absl::StatusOr<Stored> Store(const Tensor& tensor, const IntegerConstant& form, const ChosenWeights* chosen);
  absl::StatusOr<Stored> StoreSymmetric(const Tensor& tensor, const IntegerConstant& form, const ChosenWeights* chosen);
  absl::StatusOr<Stored> StoreAsymmetric(const Tensor& tensor);

  Model& model_;
  const SubgraphId subgraph_;
  GraphEditor& editor_;
  std::map<DataKey, Stored> data_;
  std::map<std::tuple<TensorId, DataKey, bool>, TensorId> tensors_;
  std::map<TensorId, TensorId> dequantized_;  // integer constant -> what its DEQUANTIZE writes
};

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_INTEGER_CONSTANTS_H_

#ifndef LATHE_OPTIMIZER_PASSES_SIZE_FIGURES_H_
#define LATHE_OPTIMIZER_PASSES_SIZE_FIGURES_H_

#include <functional>

#include "absl/types/span.h"
#include "optimizer/model/model.h"
#include "optimizer/report/size_report.h"

namespace lathe {

// Constants that SizeOfModel::tensors lists.
inline constexpr size_t kListedTensorsMax = 50;

// Everything but the compressed sizes, of the file of `file_bytes` bytes that the model was read from. A constant that
// several tensors share counts once, for the first of them; one behind DEQUANTIZE or DENSIFY counts for the operator
// after that. Reads every weight once, in parallel, and calls `read` with each constant's bytes when it has.
SizeOfModel DescribeSize(const Model& model, uint64_t file_bytes,
                         const std::function<void(absl::Span<const uint8_t>)>& read = nullptr);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_SIZE_FIGURES_H_

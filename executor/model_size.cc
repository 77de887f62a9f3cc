#include "executor/model_size.h"

#include "executor/compressed_size.h"
#include "optimizer/passes/size_figures.h"

namespace lathe {

absl::StatusOr<SizeOfModel> MeasureSize(const Model& model, absl::Span<const uint8_t> bytes, bool compressed) {
  SizeOfModel size = DescribeSize(model, bytes.size());
  if (!compressed) return size;
  LATHE_ASSIGN_OR_RETURN(const GzipSize gzip, GzipBytes(bytes));
  size.gzip_bytes = gzip.bytes;
  size.gzip_estimated = gzip.estimated;
  return size;
}

}  // namespace lathe

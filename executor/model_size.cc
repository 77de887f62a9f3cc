#include "executor/model_size.h"

#include "executor/compressed_size.h"
#include "optimizer/passes/size_figures.h"

namespace lathe {

absl::StatusOr<SizeOfModel> MeasureSize(const Model& model, const MappedFile& file, bool compressed) {
  SizeOfModel size = DescribeSize(model, file.bytes().size(),
                                  [&](absl::Span<const uint8_t> constant) { file.ReleasePages(constant); });
  if (!compressed) return size;
  LATHE_ASSIGN_OR_RETURN(const GzipSize gzip, GzipBytes(file.bytes()));
  size.gzip_bytes = gzip.bytes;
  size.gzip_estimated = gzip.estimated;
  return size;
}

}  // namespace lathe

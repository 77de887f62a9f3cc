#ifndef LATHE_EXECUTOR_MODEL_SIZE_H_
#define LATHE_EXECUTOR_MODEL_SIZE_H_

#include "common/file.h"
#include "common/status.h"
#include "optimizer/model/model.h"
#include "optimizer/report/size_report.h"

namespace lathe {

// Where the bytes of a file are, and, if asked, its size by gzip; zstd's is left to the caller, who may know it. Errors
// as GzipBytes. REQUIRES: the model was read from `file`, whose pages do not stay.
absl::StatusOr<SizeOfModel> MeasureSize(const Model& model, const MappedFile& file, bool compressed);

}  // namespace lathe

#endif  // LATHE_EXECUTOR_MODEL_SIZE_H_

#ifndef LATHE_EXECUTOR_PROVENANCE_H_
#define LATHE_EXECUTOR_PROVENANCE_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "common/status.h"
#include "optimizer/report/report.h"

namespace lathe {

// Instruction sets of this processor that decide which kernels the runtime picks, e.g. "avx2 avx512f avx512_vnni":
// results are reproducible between machines where this is equal.
std::string CpuFeatures();

// Size, digest and, if asked, zstd level 3 size of a file. Errors name the path.
absl::StatusOr<FileReport> DescribeFile(const std::string& path, bool compressed_size);

// Collects how long each step took.
class StepTimer {
 public:
  explicit StepTimer(std::vector<Timing>& timings) : timings_(timings) {}
  // Ends the step before, if any, and starts the next.
  void Begin(const std::string& step);
  void End();

 private:
  std::vector<Timing>& timings_;
  std::string step_;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace lathe

#endif  // LATHE_EXECUTOR_PROVENANCE_H_

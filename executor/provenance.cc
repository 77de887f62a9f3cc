#include "executor/provenance.h"

#include <memory>

#include "common/digest.h"
#include "common/file.h"
#include "executor/compressed_size.h"

namespace lathe {
std::string CpuFeatures() {
  std::string features;
  auto add = [&](bool has, const char* name) {
    if (!has) return;
    if (!features.empty()) features += ' ';
    features += name;
  };
#if defined(__x86_64__)
  __builtin_cpu_init();
  add(__builtin_cpu_supports("sse4.1") != 0, "sse4.1");
  add(__builtin_cpu_supports("avx") != 0, "avx");
  add(__builtin_cpu_supports("fma") != 0, "fma");
  add(__builtin_cpu_supports("avx2") != 0, "avx2");
  add(__builtin_cpu_supports("avx512f") != 0, "avx512f");
  add(__builtin_cpu_supports("avx512bw") != 0, "avx512bw");
  add(__builtin_cpu_supports("avx512vnni") != 0, "avx512vnni");
#elif defined(__aarch64__)
  add(true, "aarch64");
#endif
  return features;
}

absl::StatusOr<FileReport> DescribeFile(const std::string& path, bool compressed_size) {
  LATHE_ASSIGN_OR_RETURN(std::shared_ptr<const MappedFile> file, MappedFile::Open(path));
  FileReport report;
  report.bytes = file->bytes().size();
  Sha256 digest;
  digest.Update(file->bytes());
  report.sha256 = HexDigest(digest.Finish());
  if (compressed_size) {
    LATHE_ASSIGN_OR_RETURN(report.zstd_bytes, ZstdBytes(file->bytes()));
  }
  return report;
}

void StepTimer::Begin(const std::string& step) {
  End();
  step_ = step;
  start_ = std::chrono::steady_clock::now();
}

void StepTimer::End() {
  if (step_.empty()) return;
  timings_.push_back({step_, std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count()});
  step_.clear();
}

}  // namespace lathe

#include "executor/provenance.h"

#include <zstd.h>

#include <cstdlib>
#include <fstream>
#include <memory>

#include "common/digest.h"
#include "common/file.h"

namespace lathe {
namespace {

// The pages of a file count as the job's memory until they are released.
constexpr size_t kHashedAtOnce = size_t{4} << 20;

// In pieces, so that a model of any size costs the same memory.
absl::StatusOr<uint64_t> ZstdBytes(absl::Span<const uint8_t> bytes, const std::string& path) {
  constexpr int kLevel = 3;
  std::unique_ptr<ZSTD_CCtx, size_t (*)(ZSTD_CCtx*)> context(ZSTD_createCCtx(), ZSTD_freeCCtx);
  if (context == nullptr) return absl::ResourceExhaustedError("zstd: out of memory");
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, kLevel);
  std::vector<uint8_t> room(ZSTD_CStreamOutSize());
  ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
  uint64_t total = 0;
  while (true) {
    ZSTD_outBuffer output{room.data(), room.size(), 0};
    const size_t left = ZSTD_compressStream2(context.get(), &output, &input, ZSTD_e_end);
    if (ZSTD_isError(left)) {
      return absl::InternalError(absl::StrFormat("zstd of '%s': %s", path, ZSTD_getErrorName(left)));
    }
    total += output.pos;
    if (left == 0) return total;
  }
}

}  // namespace

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

uint64_t PeakRssBytes() {
  // Not getrusage: Linux hands ru_maxrss of the parent down to a spawned child.
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmHWM:", 0) == 0) return strtoull(line.c_str() + 6, nullptr, 10) * 1024;
  }
  return 0;
}

absl::StatusOr<FileReport> DescribeFile(const std::string& path, bool compressed_size) {
  LATHE_ASSIGN_OR_RETURN(std::shared_ptr<const MappedFile> file, MappedFile::Open(path));
  FileReport report;
  report.bytes = file->bytes().size();
  Sha256 digest;
  for (size_t at = 0; at < file->bytes().size(); at += kHashedAtOnce) {
    digest.Update(file->bytes().subspan(at, kHashedAtOnce));
    file->ReleasePages();
  }
  report.sha256 = HexDigest(digest.Finish());
  if (compressed_size) {
    LATHE_ASSIGN_OR_RETURN(report.zstd_bytes, ZstdBytes(file->bytes(), path));
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

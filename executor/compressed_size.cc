#include "executor/compressed_size.h"

#include <zlib.h>
#include <zstd.h>

#include <cmath>
#include <memory>
#include <vector>

#include "common/parallel.h"

namespace lathe {
namespace {

constexpr size_t kPieceBytes = size_t{128} << 10, kPieces = 32;
constexpr int kGzipLevel = 6, kZstdLevel = 3;
constexpr uint64_t kGzipFrameBytes = 18;  // header and trailer, RFC 1952

// Bytes of the raw deflate stream.
absl::StatusOr<uint64_t> DeflateBytes(absl::Span<const uint8_t> bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, kGzipLevel, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    return absl::ResourceExhaustedError("zlib: out of memory");
  }
  std::vector<uint8_t> room(size_t{64} << 10);
  // zlib never writes to its input; its type says otherwise. Sizes are bounded by the callers.
  stream.next_in = const_cast<uint8_t*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  int status = Z_OK;
  while (status == Z_OK) {
    stream.next_out = room.data();
    stream.avail_out = static_cast<uInt>(room.size());
    status = deflate(&stream, Z_FINISH);
  }
  const uint64_t total = stream.total_out;
  deflateEnd(&stream);
  if (status != Z_STREAM_END) return absl::InternalError(absl::StrFormat("zlib: status %d", status));
  return total;
}

}  // namespace

absl::StatusOr<uint64_t> ZstdBytes(absl::Span<const uint8_t> bytes) {
  std::unique_ptr<ZSTD_CCtx, size_t (*)(ZSTD_CCtx*)> context(ZSTD_createCCtx(), ZSTD_freeCCtx);
  if (context == nullptr) return absl::ResourceExhaustedError("zstd: out of memory");
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, kZstdLevel);
  // In pieces, so that a model of any size costs the same memory.
  std::vector<uint8_t> room(ZSTD_CStreamOutSize());
  ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
  uint64_t total = 0;
  while (true) {
    ZSTD_outBuffer output{room.data(), room.size(), 0};
    const size_t left = ZSTD_compressStream2(context.get(), &output, &input, ZSTD_e_end);
    if (ZSTD_isError(left)) return absl::InternalError(absl::StrFormat("zstd: %s", ZSTD_getErrorName(left)));
    total += output.pos;
    if (left == 0) return total;
  }
}

absl::StatusOr<GzipSize> GzipBytes(absl::Span<const uint8_t> bytes) {
  if (bytes.size() <= kPieceBytes * kPieces) {
    LATHE_ASSIGN_OR_RETURN(const uint64_t size, DeflateBytes(bytes));
    return GzipSize{size + kGzipFrameBytes, false};
  }
  std::vector<absl::StatusOr<uint64_t>> sizes(kPieces, uint64_t{0});
  ParallelFor(kPieces, [&](size_t i) {
    const size_t begin = (bytes.size() - kPieceBytes) / (kPieces - 1) * i;
    sizes[i] = DeflateBytes(bytes.subspan(begin, kPieceBytes));
  });
  uint64_t sum = 0;
  for (const absl::StatusOr<uint64_t>& size : sizes) {
    LATHE_RETURN_IF_ERROR(size.status());
    sum += *size;
  }
  const double share = static_cast<double>(sum) / static_cast<double>(kPieceBytes * kPieces);
  return GzipSize{static_cast<uint64_t>(std::llround(share * static_cast<double>(bytes.size()))) + kGzipFrameBytes,
                  true};
}

}  // namespace lathe

#ifndef LATHE_SERVER_LIMITS_H_
#define LATHE_SERVER_LIMITS_H_

#include <chrono>
#include <cstdint>

// What the API takes at most. GetCapabilities tells these to clients.
namespace lathe::limits {

inline constexpr uint64_t kModelBytesMax = uint64_t{2} << 30;
inline constexpr uint64_t kDatasetBytesMax = uint64_t{4} << 30;
inline constexpr int kMessageBytesMax = 4 << 20;  // gRPC's own default, which every client accepts
inline constexpr int kMetadataBytesMax = 16 << 10;
// Large enough that the price of a message does not count, small enough to share a connection.
inline constexpr uint64_t kUploadFrameBytesMax = 2 << 20;
inline constexpr uint32_t kDownloadChunkBytesDefault = 256 << 10;
inline constexpr uint32_t kDownloadChunkBytesMin = 4 << 10;
inline constexpr uint32_t kDownloadChunkBytesMax = 2 << 20;

inline constexpr int64_t kQueuedJobsMax = 1000;
inline constexpr int kAttemptsMax = 3;
inline constexpr uint64_t kJobMemoryBytesMax = uint64_t{4} << 30;
inline constexpr uint64_t kJobMemoryBytesMin = uint64_t{64} << 20;
inline constexpr uint64_t kOutputBytesMax = uint64_t{8} << 30;
inline constexpr std::chrono::seconds kAttemptTimeoutMax = std::chrono::hours(1);
inline constexpr std::chrono::seconds kDeadlineMax = std::chrono::hours(24);
inline constexpr uint32_t kBenchmarkRunsMax = 10'000;
inline constexpr uint32_t kComparedSamplesMax = 1024;

inline constexpr int kPageSizeDefault = 50;
inline constexpr uint32_t kPageSizeMax = 1000;
inline constexpr size_t kRequestIdBytesMax = 64;
// Pages end early before they outgrow kMessageBytesMax, which is also what clients receive at most by default.
inline constexpr size_t kPageBytesMax = 3 << 20;
// A job holds its spec twice (as sent, and resolved), and an answer must stay below kMessageBytesMax.
inline constexpr size_t kSpecBytesMax = 512 << 10;
inline constexpr size_t kLabelsMax = 64;
inline constexpr size_t kLabelBytesMax = 63;

inline constexpr std::chrono::hours kUploadKept{24};

}  // namespace lathe::limits

#endif  // LATHE_SERVER_LIMITS_H_

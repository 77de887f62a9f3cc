#ifndef LATHE_SERVER_DOWNLOAD_STREAM_H_
#define LATHE_SERVER_DOWNLOAD_STREAM_H_

#include <grpcpp/support/server_callback.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "common/digest.h"
#include "lathe/v1/artifact_service.pb.h"
#include "server/edge.h"
#include "storage/artifacts.h"

namespace lathe {

// One DownloadArtifact call: header, data, trailer. The next chunk is read on the pool when the peer has taken the one
// before, so that one chunk is in memory. Lives until gRPC is done with it.
class DownloadStream final : public grpc::ServerWriteReactor<v1::DownloadArtifactResponse>,
                             public OpenStream,
                             public std::enable_shared_from_this<DownloadStream> {
 public:
  static grpc::ServerWriteReactor<v1::DownloadArtifactResponse>* Start(Edge& edge, Artifacts& artifacts, RpcName name,
                                                                       const v1::DownloadArtifactRequest& request);
  DownloadStream(Edge& edge, Artifacts& artifacts, RpcName name, const v1::DownloadArtifactRequest& request);

  void End(const absl::Status& status) override;
  void Tick(std::chrono::steady_clock::time_point) override {}

 private:
  enum class Stage { kHeader, kData, kTrailer, kEnd };
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  // Makes the next message on the pool and writes it, or finishes.
  void PostNext();
  absl::Status MakeNext();
  absl::Status MakeHeader();
  absl::Status MakeData();

  Edge& edge_;
  Artifacts& artifacts_;
  RpcRecord record_;
  const v1::DownloadArtifactRequest request_;
  std::shared_ptr<DownloadStream> self_;  // until OnDone

  // Used by one of: the pool task, the write in flight.
  Stage stage_ = Stage::kHeader;
  std::unique_ptr<ArtifactReader> reader_;
  uint64_t position_ = 0, remaining_ = 0;
  Sha256 digest_;
  v1::DownloadArtifactResponse frame_;

  std::mutex mutex_;
  bool busy_ = false;  // a pool task or a write is under way
  bool finished_ = false;
  std::optional<absl::Status> end_;
};

}  // namespace lathe

#endif  // LATHE_SERVER_DOWNLOAD_STREAM_H_

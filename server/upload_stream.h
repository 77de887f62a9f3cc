#ifndef LATHE_SERVER_UPLOAD_STREAM_H_
#define LATHE_SERVER_UPLOAD_STREAM_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <memory>
#include <mutex>
#include <optional>

#include "lathe/v1/artifact_service.pb.h"
#include "server/edge.h"
#include "storage/artifacts.h"

namespace lathe {

// One UploadArtifact call. Each frame is hashed and written on the pool before the next is read: the disk sets the
// pace, and at most one frame is in memory. However the call ends, what was received is synced and the upload closed
// before the answer goes out, so that the client can go on at once. Lives until gRPC is done with it.
class UploadStream final : public grpc::ServerReadReactor<v1::UploadArtifactRequest>,
                           public OpenStream,
                           public std::enable_shared_from_this<UploadStream> {
 public:
  static grpc::ServerReadReactor<v1::UploadArtifactRequest>* Start(Edge& edge, Artifacts& artifacts, RpcName name,
                                                                   grpc::CallbackServerContext* context,
                                                                   v1::Artifact* response);
  UploadStream(Edge& edge, Artifacts& artifacts, RpcName name, grpc::CallbackServerContext* context,
               v1::Artifact* response);

  void End(const absl::Status& status) override;
  void Tick(std::chrono::steady_clock::time_point now) override;

 private:
  void OnReadDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  // Handles what was read, on the pool. `half_closed`: the client has sent everything. Returns nothing to read on.
  std::optional<absl::Status> Handle(bool half_closed);
  absl::Status Open(const v1::UploadArtifactRequest::Header& header);
  absl::Status Append(const std::string& data);
  absl::Status Publish();
  absl::Status OffsetMismatch(const absl::Status& status) const;
  // Closes the upload and answers, on the pool. REQUIRES: called once, while no Handle runs.
  void CloseAndFinish(const absl::Status& status);

  Edge& edge_;
  Artifacts& artifacts_;
  RpcRecord record_;
  grpc::CallbackServerContext* context_;
  v1::Artifact* response_;
  std::shared_ptr<UploadStream> self_;  // until OnDone

  // Used by one pool task at a time.
  v1::UploadArtifactRequest frame_;
  UploadRecord upload_;
  std::unique_ptr<ArtifactUpload> writer_;
  bool published_ = false;

  std::mutex mutex_;
  bool handling_ = false;  // a pool task has the fields above
  bool closing_ = false;
  std::optional<absl::Status> end_;
  std::chrono::steady_clock::time_point last_frame_;
};

}  // namespace lathe

#endif  // LATHE_SERVER_UPLOAD_STREAM_H_

#ifndef LATHE_SERVER_ARTIFACT_SERVICE_H_
#define LATHE_SERVER_ARTIFACT_SERVICE_H_

#include "lathe/v1/artifact_service.grpc.pb.h"
#include "server/edge.h"
#include "storage/artifacts.h"

namespace lathe {

// lathe.v1.ArtifactService over the artifact store. The .proto file is the contract.
class ArtifactServiceImpl final : public v1::ArtifactService::CallbackService {
 public:
  ArtifactServiceImpl(Edge& edge, Artifacts& artifacts) : edge_(edge), artifacts_(artifacts) {}

  grpc::ServerUnaryReactor* CreateUpload(grpc::CallbackServerContext* context, const v1::CreateUploadRequest* request,
                                         v1::Upload* response) override;
  grpc::ServerReadReactor<v1::UploadArtifactRequest>* UploadArtifact(grpc::CallbackServerContext* context,
                                                                     v1::Artifact* response) override;
  grpc::ServerUnaryReactor* GetUpload(grpc::CallbackServerContext* context, const v1::GetUploadRequest* request,
                                      v1::Upload* response) override;
  grpc::ServerWriteReactor<v1::DownloadArtifactResponse>* DownloadArtifact(
      grpc::CallbackServerContext* context, const v1::DownloadArtifactRequest* request) override;
  grpc::ServerUnaryReactor* StatArtifact(grpc::CallbackServerContext* context, const v1::StatArtifactRequest* request,
                                         v1::Artifact* response) override;
  grpc::ServerUnaryReactor* ListArtifacts(grpc::CallbackServerContext* context, const v1::ListArtifactsRequest* request,
                                          v1::ListArtifactsResponse* response) override;
  grpc::ServerUnaryReactor* DeleteArtifact(grpc::CallbackServerContext* context,
                                           const v1::DeleteArtifactRequest* request,
                                           google::protobuf::Empty* response) override;

 private:
  absl::Status Create(const v1::CreateUploadRequest& request, v1::Upload* response);
  absl::Status List(const v1::ListArtifactsRequest& request, v1::ListArtifactsResponse* response);

  Edge& edge_;
  Artifacts& artifacts_;
};

}  // namespace lathe

#endif  // LATHE_SERVER_ARTIFACT_SERVICE_H_

#include "server/artifact_service.h"

#include <string>

#include "common/digest.h"
#include "server/download_stream.h"
#include "server/field_checks.h"
#include "server/job_conversion.h"
#include "server/limits.h"
#include "server/names.h"
#include "server/page_token.h"
#include "server/upload_stream.h"

namespace lathe {
namespace {

constexpr RpcName Rpc(std::string_view method) { return {"ArtifactService", method}; }
constexpr size_t kMediaTypeBytesMax = 127;

void CheckContent(const v1::CreateUploadRequest& request, FieldChecks& checks) {
  if (request.sha256().size() != 32) {
    checks.Add("sha256", absl::StrFormat("has %d bytes; it must be the 32 bytes of the content's SHA-256",
                                         request.sha256().size()));
  }
  const v1::Artifact::Kind kind = request.kind();
  if (kind != v1::Artifact::MODEL && kind != v1::Artifact::DATASET && kind != v1::Artifact::BLOB) {
    checks.Add("kind", "must be MODEL, DATASET or BLOB");
  }
  const uint64_t size_max = kind == v1::Artifact::MODEL ? limits::kModelBytesMax : limits::kDatasetBytesMax;
  if (request.size_bytes() == 0 || request.size_bytes() > size_max) {
    checks.Add("size_bytes", absl::StrFormat("is %d, must be 1 to %d", request.size_bytes(), size_max));
  }
}

absl::StatusOr<UploadRecord> ParseUpload(const v1::CreateUploadRequest& request, int64_t now_micros) {
  FieldChecks checks;
  UploadRecord upload;
  if (const auto project = ParseParent(request.parent()); project.ok()) {
    upload.project = *project;
  } else {
    checks.Add(project.status());
  }
  CheckContent(request, checks);
  if (request.media_type().size() > kMediaTypeBytesMax) {
    checks.Add("media_type", absl::StrFormat("is longer than %d bytes", kMediaTypeBytesMax));
  }
  checks.CheckRequestId("request_id", request.request_id());
  checks.CheckLabels("labels", request.labels());
  LATHE_RETURN_IF_ERROR(checks.Result());
  upload.sha256 = ToHex({reinterpret_cast<const uint8_t*>(request.sha256().data()), request.sha256().size()});
  upload.size_bytes = request.size_bytes();
  upload.kind = request.kind();
  upload.media_type = request.media_type().empty() ? "application/octet-stream" : request.media_type();
  upload.labels = SortedLabels(request.labels());
  upload.create_time_micros = now_micros;
  upload.expire_time_micros =
      now_micros + std::chrono::duration_cast<std::chrono::microseconds>(limits::kUploadKept).count();
  return upload;
}

// The answer for bytes that the project has already.
absl::Status AlreadyPresent(const ArtifactRecord& artifact, const UploadRecord& asked, v1::Upload* response) {
  if (artifact.size_bytes != asked.size_bytes) {
    return MakeViolationsError({{"size_bytes", absl::StrFormat("is %d, but the content with this SHA-256 has %d bytes",
                                                               asked.size_bytes, artifact.size_bytes)}});
  }
  UploadRecord done = asked;
  done.state = UploadState::kCommitted;
  UploadToProto(done, artifact.size_bytes, response);
  response->clear_name();
  response->clear_expire_time();
  response->set_already_present(true);
  ArtifactToProto(artifact, response->mutable_artifact());
  return absl::OkStatus();
}

}  // namespace

grpc::ServerUnaryReactor* ArtifactServiceImpl::CreateUpload(grpc::CallbackServerContext* context,
                                                            const v1::CreateUploadRequest* request,
                                                            v1::Upload* response) {
  return edge_.Unary(context, Rpc("CreateUpload"), [=, this] { return Create(*request, response); });
}

absl::Status ArtifactServiceImpl::Create(const v1::CreateUploadRequest& request, v1::Upload* response) {
  LATHE_RETURN_IF_ERROR(edge_.CheckAccepting());
  LATHE_ASSIGN_OR_RETURN(const UploadRecord asked, ParseUpload(request, edge_.clock().NowMicros()));
  const auto present = artifacts_.FindForUpload(asked.project, asked.sha256);
  if (present.ok()) return AlreadyPresent(*present, asked, response);
  if (!absl::IsNotFound(present.status())) return present.status();
  LATHE_RETURN_IF_ERROR(artifacts_.store().CheckFreeSpace());
  v1::CreateUploadRequest content = request;
  content.clear_request_id();
  LATHE_ASSIGN_OR_RETURN(
      const ArtifactIndex::CreatedUpload created,
      artifacts_.index().CreateUpload(asked, request.request_id(), ContentHash("CreateUpload", content)));
  UploadToProto(created.upload, artifacts_.store().UploadedBytes(created.upload.id), response);
  return absl::OkStatus();
}

grpc::ServerReadReactor<v1::UploadArtifactRequest>* ArtifactServiceImpl::UploadArtifact(
    grpc::CallbackServerContext* context, v1::Artifact* response) {
  return UploadStream::Start(edge_, artifacts_, Rpc("UploadArtifact"), context, response);
}

grpc::ServerUnaryReactor* ArtifactServiceImpl::GetUpload(grpc::CallbackServerContext* context,
                                                         const v1::GetUploadRequest* request, v1::Upload* response) {
  return edge_.Unary(context, Rpc("GetUpload"), [=, this]() -> absl::Status {
    LATHE_ASSIGN_OR_RETURN(const UploadKey key, ParseUploadName(request->name()));
    LATHE_ASSIGN_OR_RETURN(const UploadRecord upload, artifacts_.index().GetUpload(key.project, key.id));
    const bool done = upload.state == UploadState::kCommitted;
    UploadToProto(upload, done ? upload.size_bytes : artifacts_.store().UploadedBytes(key.id), response);
    if (!done) return absl::OkStatus();
    const auto artifact = artifacts_.index().GetArtifact(key.project, upload.sha256);
    if (artifact.ok()) ArtifactToProto(*artifact, response->mutable_artifact());  // else it was deleted since
    return absl::OkStatus();
  });
}

grpc::ServerWriteReactor<v1::DownloadArtifactResponse>* ArtifactServiceImpl::DownloadArtifact(
    grpc::CallbackServerContext* /*context*/, const v1::DownloadArtifactRequest* request) {
  return DownloadStream::Start(edge_, artifacts_, Rpc("DownloadArtifact"), *request);
}

grpc::ServerUnaryReactor* ArtifactServiceImpl::StatArtifact(grpc::CallbackServerContext* context,
                                                            const v1::StatArtifactRequest* request,
                                                            v1::Artifact* response) {
  return edge_.Unary(context, Rpc("StatArtifact"), [=, this]() -> absl::Status {
    LATHE_ASSIGN_OR_RETURN(const ArtifactKey key, ParseArtifactName(request->name()));
    LATHE_ASSIGN_OR_RETURN(const ArtifactRecord artifact, artifacts_.index().GetArtifact(key.project, key.sha256));
    ArtifactToProto(artifact, response);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* ArtifactServiceImpl::ListArtifacts(grpc::CallbackServerContext* context,
                                                             const v1::ListArtifactsRequest* request,
                                                             v1::ListArtifactsResponse* response) {
  return edge_.Unary(context, Rpc("ListArtifacts"), [=, this] { return List(*request, response); });
}

absl::Status ArtifactServiceImpl::List(const v1::ListArtifactsRequest& request, v1::ListArtifactsResponse* response) {
  LATHE_ASSIGN_OR_RETURN(const std::string project, ParseParent(request.parent()));
  if (!v1::Artifact::Kind_IsValid(request.kind())) {
    return MakeViolationsError({{"kind", absl::StrFormat("%d is not a kind of artifacts", request.kind())}});
  }
  const std::string filter = absl::StrFormat("artifacts %s %d", project, request.kind());
  LATHE_ASSIGN_OR_RETURN(const int64_t cursor, ParsePageToken(request.page_token(), filter));
  LATHE_ASSIGN_OR_RETURN(
      const ArtifactPage page,
      artifacts_.index().ListArtifacts(project, request.kind(), ClampPageSize(request.page_size()), cursor));
  int64_t next_cursor = page.next_cursor;
  size_t bytes = 0;
  for (size_t i = 0; i < page.artifacts.size(); ++i) {
    ArtifactToProto(page.artifacts[i], response->add_artifacts());
    bytes += response->artifacts(response->artifacts_size() - 1).ByteSizeLong();
    if (bytes <= limits::kPageBytesMax || i == 0) continue;
    response->mutable_artifacts()->RemoveLast();
    next_cursor = page.artifacts[i - 1].order;
    break;
  }
  response->set_next_page_token(MakePageToken(next_cursor, filter));
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* ArtifactServiceImpl::DeleteArtifact(grpc::CallbackServerContext* context,
                                                              const v1::DeleteArtifactRequest* request,
                                                              google::protobuf::Empty* /*response*/) {
  return edge_.Unary(context, Rpc("DeleteArtifact"), [=, this]() -> absl::Status {
    LATHE_ASSIGN_OR_RETURN(const ArtifactKey key, ParseArtifactName(request->name()));
    return artifacts_.Delete(key.project, key.sha256);
  });
}

}  // namespace lathe

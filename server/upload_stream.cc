#include "server/upload_stream.h"

#include <utility>

#include "server/job_conversion.h"
#include "server/limits.h"
#include "server/names.h"
#include "server/rpc_status.h"

namespace lathe {
namespace {

constexpr std::chrono::seconds kIdleTimeout{60};

absl::Status BadFrame(const char* what) { return MakeViolationsError({{"frame", what}}); }

}  // namespace

grpc::ServerReadReactor<v1::UploadArtifactRequest>* UploadStream::Start(Edge& edge, Artifacts& artifacts, RpcName name,
                                                                        grpc::CallbackServerContext* context,
                                                                        v1::Artifact* response) {
  auto stream = std::make_shared<UploadStream>(edge, artifacts, name, context, response);
  stream->self_ = stream;
  if (edge.streams().Add(stream)) {
    stream->StartRead(&stream->frame_);
  } else {
    stream->End(DrainingError());
  }
  return stream.get();
}

UploadStream::UploadStream(Edge& edge, Artifacts& artifacts, RpcName name, grpc::CallbackServerContext* context,
                           v1::Artifact* response)
    : edge_(edge),
      artifacts_(artifacts),
      record_(edge.StartRpc(name)),
      context_(context),
      response_(response),
      last_frame_(edge.clock().Monotonic()) {}

void UploadStream::End(const absl::Status& status) {
  std::lock_guard lock(mutex_);
  if (!end_.has_value()) end_ = status;
  if (handling_ || closing_) return;  // the running task ends the call
  closing_ = true;
  edge_.pool().Post([self = shared_from_this(), end = *end_] { self->CloseAndFinish(end); });
}

void UploadStream::Tick(std::chrono::steady_clock::time_point now) {
  {
    std::lock_guard lock(mutex_);
    if (handling_ || closing_ || now - last_frame_ < kIdleTimeout) return;
  }
  End(MakeError(absl::StatusCode::kAborted, "UPLOAD_IDLE",
                "no message for 60 s; what was committed is kept, go on from committed_size_bytes"));
}

void UploadStream::OnReadDone(bool ok) {
  {
    std::lock_guard lock(mutex_);
    if (closing_) return;
    handling_ = true;
    last_frame_ = edge_.clock().Monotonic();
  }
  edge_.pool().Post([self = shared_from_this(), ok] {
    std::optional<absl::Status> result = self->Handle(!ok);
    {
      std::lock_guard lock(self->mutex_);
      self->handling_ = false;
      // What happened to the bytes counts more than a drain or cancellation that came meanwhile.
      if (!result.has_value()) result = self->end_;
      self->closing_ = result.has_value();
      if (!self->closing_) self->StartRead(&self->frame_);
    }
    if (result.has_value()) self->CloseAndFinish(*result);
  });
}

std::optional<absl::Status> UploadStream::Handle(bool half_closed) {
  if (half_closed) return Publish();
  absl::Status status;
  switch (frame_.frame_case()) {
    case v1::UploadArtifactRequest::kHeader:
      status = Open(frame_.header());
      if (status.ok() && published_) return absl::OkStatus();
      break;
    case v1::UploadArtifactRequest::kData:
      status = Append(frame_.data());
      break;
    case v1::UploadArtifactRequest::FRAME_NOT_SET:
      status = BadFrame("a message has neither a header nor data");
      break;
  }
  if (!status.ok()) return status;
  return std::nullopt;
}

absl::Status UploadStream::Open(const v1::UploadArtifactRequest::Header& header) {
  if (writer_ != nullptr) return BadFrame("a second header came; one call sends one upload");
  LATHE_ASSIGN_OR_RETURN(const UploadKey key, ParseUploadName(header.upload(), "header.upload"));
  LATHE_ASSIGN_OR_RETURN(upload_, artifacts_.index().GetUpload(key.project, key.id));
  if (upload_.state == UploadState::kCommitted) {  // sent again by a client that missed the answer
    const auto artifact = artifacts_.index().GetArtifact(key.project, upload_.sha256);
    if (absl::IsNotFound(artifact.status())) {
      return MakeError(absl::StatusCode::kFailedPrecondition, "UPLOAD_COMMITTED",
                       absl::StrFormat("upload '%s' is complete, but its artifact was deleted since; begin again with "
                                       "CreateUpload and a new request_id",
                                       key.id));
    }
    LATHE_RETURN_IF_ERROR(artifact.status());
    ArtifactToProto(*artifact, response_);
    published_ = true;
    return absl::OkStatus();
  }
  if (upload_.state == UploadState::kFailed) {
    return MakeError(absl::StatusCode::kFailedPrecondition, "UPLOAD_FAILED",
                     "the bytes sent before had another SHA-256; begin again with CreateUpload");
  }
  LATHE_ASSIGN_OR_RETURN(writer_, artifacts_.store().OpenUpload(key.id, {upload_.sha256, upload_.size_bytes}));
  if (header.offset() == writer_->received_size()) return absl::OkStatus();
  return OffsetMismatch(MakeError(absl::StatusCode::kOutOfRange, "OFFSET_MISMATCH",
                                  absl::StrFormat("header.offset is %d, but the upload has %d bytes; go on from there",
                                                  header.offset(), writer_->received_size())));
}

absl::Status UploadStream::OffsetMismatch(const absl::Status& status) const {
  return WithMetadata(status, "committed_size", absl::StrFormat("%d", writer_->received_size()));
}

absl::Status UploadStream::Append(const std::string& data) {
  if (writer_ == nullptr) return BadFrame("data came before the header");
  if (data.empty() || data.size() > limits::kUploadFrameBytesMax) {
    return MakeViolationsError({{"data", absl::StrFormat("has %d bytes, a message takes 1 to %d", data.size(),
                                                         limits::kUploadFrameBytesMax)}});
  }
  LATHE_RETURN_IF_ERROR(
      writer_->Append(writer_->received_size(), {reinterpret_cast<const uint8_t*>(data.data()), data.size()}));
  edge_.metrics().AddUploadBytes(data.size());
  return absl::OkStatus();
}

absl::Status UploadStream::Publish() {
  if (context_->IsCancelled()) return MakeError(absl::StatusCode::kCancelled, "CANCELLED", "the caller went away");
  if (writer_ == nullptr) return BadFrame("the call ended without a header");
  LATHE_ASSIGN_OR_RETURN(const ArtifactRecord artifact, artifacts_.PublishUpload(upload_, *writer_));
  ArtifactToProto(artifact, response_);
  published_ = true;
  return absl::OkStatus();
}

void UploadStream::CloseAndFinish(const absl::Status& status) {
  writer_.reset();
  record_.Finish(status);
  Finish(ToGrpcStatus(status));
}

void UploadStream::OnCancel() { End(MakeError(absl::StatusCode::kCancelled, "CANCELLED", "the caller went away")); }

void UploadStream::OnDone() {
  edge_.streams().Remove(this);
  const std::shared_ptr<UploadStream> self = std::move(self_);  // the last owner, unless a task still runs
}

}  // namespace lathe

#include "server/download_stream.h"

#include <algorithm>
#include <utility>

#include "server/job_conversion.h"
#include "server/limits.h"
#include "server/names.h"
#include "server/rpc_status.h"

namespace lathe {

grpc::ServerWriteReactor<v1::DownloadArtifactResponse>* DownloadStream::Start(
    Edge& edge, Artifacts& artifacts, RpcName name, const v1::DownloadArtifactRequest& request) {
  auto stream = std::make_shared<DownloadStream>(edge, artifacts, name, request);
  stream->self_ = stream;
  stream->busy_ = true;  // before a drain can see the stream: else it would finish the call that PostNext goes on with
  if (edge.streams().Add(stream)) {
    stream->PostNext();
  } else {
    stream->busy_ = false;
    stream->End(DrainingError());
  }
  return stream.get();
}

DownloadStream::DownloadStream(Edge& edge, Artifacts& artifacts, RpcName name,
                               const v1::DownloadArtifactRequest& request)
    : edge_(edge), artifacts_(artifacts), record_(edge.StartRpc(name)), request_(request) {}

void DownloadStream::End(const absl::Status& status) {
  std::lock_guard lock(mutex_);
  if (!end_.has_value()) end_ = status;
  if (busy_ || finished_) return;  // whoever is busy sees end_
  finished_ = true;
  record_.Finish(*end_);
  Finish(ToGrpcStatus(*end_));
}

void DownloadStream::PostNext() {
  edge_.pool().Post([self = shared_from_this()] {
    const absl::Status status = self->MakeNext();
    std::lock_guard lock(self->mutex_);
    if (!self->end_.has_value() && !status.ok()) self->end_ = status;
    if (self->end_.has_value()) {
      self->busy_ = false;
      self->finished_ = true;
      self->record_.Finish(*self->end_);
      self->Finish(ToGrpcStatus(*self->end_));
    } else {
      self->StartWrite(&self->frame_);
    }
  });
}

absl::Status DownloadStream::MakeNext() {
  frame_.Clear();
  switch (stage_) {
    case Stage::kHeader:
      return MakeHeader();
    case Stage::kData:
      return MakeData();
    case Stage::kTrailer: {
      const Digest digest = digest_.Finish();
      frame_.mutable_trailer()->set_sha256(digest.data(), digest.size());
      stage_ = Stage::kEnd;
      return absl::OkStatus();
    }
    case Stage::kEnd:
      return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::Status DownloadStream::MakeHeader() {
  LATHE_ASSIGN_OR_RETURN(const ArtifactKey key, ParseArtifactName(request_.name()));
  LATHE_ASSIGN_OR_RETURN(const ArtifactRecord artifact, artifacts_.index().GetArtifact(key.project, key.sha256));
  LATHE_ASSIGN_OR_RETURN(reader_, artifacts_.Open(key.project, key.sha256));
  const uint64_t size = reader_->size_bytes();
  if (request_.offset() > size) {
    return MakeError(absl::StatusCode::kOutOfRange, "OFFSET_MISMATCH",
                     absl::StrFormat("offset is %d, but the artifact has %d bytes", request_.offset(), size));
  }
  position_ = request_.offset();
  remaining_ = size - position_;
  if (request_.limit() != 0) remaining_ = std::min(remaining_, request_.limit());
  auto* header = frame_.mutable_header();
  ArtifactToProto(artifact, header->mutable_artifact());
  header->set_offset(position_);
  header->set_length(remaining_);
  stage_ = remaining_ == 0 ? Stage::kTrailer : Stage::kData;
  return absl::OkStatus();
}

absl::Status DownloadStream::MakeData() {
  const uint32_t asked =
      request_.chunk_size_bytes() == 0 ? limits::kDownloadChunkBytesDefault : request_.chunk_size_bytes();
  const uint64_t chunk =
      std::min<uint64_t>(remaining_, std::clamp(asked, limits::kDownloadChunkBytesMin, limits::kDownloadChunkBytesMax));
  std::string* data = frame_.mutable_data();
  data->resize(chunk);
  const absl::Span<uint8_t> buffer(reinterpret_cast<uint8_t*>(data->data()), data->size());
  LATHE_ASSIGN_OR_RETURN(const size_t read, reader_->ReadAt(position_, buffer));
  if (read != chunk) {
    return MakeError(absl::StatusCode::kDataLoss, "DIGEST_MISMATCH",
                     absl::StrFormat("the stored bytes end at %d; upload the artifact again", position_ + read));
  }
  digest_.Update(buffer);
  edge_.metrics().AddDownloadBytes(read);
  position_ += read;
  remaining_ -= read;
  if (remaining_ == 0) stage_ = Stage::kTrailer;
  return absl::OkStatus();
}

void DownloadStream::OnWriteDone(bool ok) {
  std::unique_lock lock(mutex_);
  if (!ok && !end_.has_value()) end_ = MakeError(absl::StatusCode::kCancelled, "CANCELLED", "the caller went away");
  if (!end_.has_value() && stage_ == Stage::kEnd) end_ = absl::OkStatus();
  if (!end_.has_value()) {
    lock.unlock();
    PostNext();
    return;
  }
  busy_ = false;
  finished_ = true;
  record_.Finish(*end_);
  Finish(ToGrpcStatus(*end_));
}

void DownloadStream::OnCancel() { End(MakeError(absl::StatusCode::kCancelled, "CANCELLED", "the caller went away")); }

void DownloadStream::OnDone() {
  edge_.streams().Remove(this);
  const std::shared_ptr<DownloadStream> self = std::move(self_);  // the last owner, unless a task still runs
}

}  // namespace lathe

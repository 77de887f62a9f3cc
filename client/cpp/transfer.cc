// Uploads and downloads of client.h.

#include <algorithm>
#include <string>

#include "client/cpp/stubs.h"
#include "common/digest.h"
#include "common/file.h"

namespace lathe {
namespace {

constexpr uint64_t kFrameBytes = 512 << 10;

std::string Raw(const Digest& digest) { return std::string(digest.begin(), digest.end()); }

absl::Status Cancelled() { return MakeError(absl::StatusCode::kCancelled, "CANCELLED", "the transfer was stopped"); }

// Sends the rest of `bytes` on one stream.
absl::StatusOr<v1::Artifact> SendRest(v1::ArtifactService::Stub& stub, const v1::Upload& upload,
                                      absl::Span<const uint8_t> bytes, const CancelToken& cancel,
                                      const TransferProgress& on_progress,
                                      const std::function<absl::Status(const grpc::Status&)>& convert) {
  grpc::ClientContext context;
  const StreamCanceller canceller(&context, cancel);
  v1::Artifact artifact;
  const auto stream = stub.UploadArtifact(&context, &artifact);
  v1::UploadArtifactRequest frame;
  frame.mutable_header()->set_upload(upload.name());
  frame.mutable_header()->set_offset(upload.committed_size_bytes());
  bool writable = stream->Write(frame);
  for (uint64_t offset = upload.committed_size_bytes(); writable && offset < bytes.size(); offset += kFrameBytes) {
    const uint64_t size = std::min<uint64_t>(kFrameBytes, bytes.size() - offset);
    frame.set_data(bytes.data() + offset, size);
    writable = stream->Write(frame);
    if (writable && on_progress) on_progress(offset + size, bytes.size());
  }
  stream->WritesDone();
  const grpc::Status status = stream->Finish();  // says why when a write failed
  if (!status.ok()) return convert(status);
  return artifact;
}

}  // namespace

absl::StatusOr<v1::Artifact> Client::UploadFile(const std::string& path, v1::Artifact::Kind kind,
                                                const CancelToken& cancel, const TransferProgress& on_progress) {
  LATHE_ASSIGN_OR_RETURN(const auto file, MappedFile::Open(path));
  const absl::Span<const uint8_t> bytes = file->bytes();
  if (bytes.empty()) {
    return MakeError(absl::StatusCode::kInvalidArgument, "EMPTY_FILE", absl::StrFormat("'%s' is empty", path));
  }
  Sha256 sha256;
  sha256.Update(bytes);
  v1::CreateUploadRequest create;
  create.set_sha256(Raw(sha256.Finish()));
  create.set_size_bytes(bytes.size());
  create.set_kind(kind);
  const auto convert = [this](const grpc::Status& status) { return stubs_->Convert(status); };

  RetryPace pace;
  v1::GetUploadRequest get;
  while (true) {
    auto upload = get.name().empty()
                      ? stubs_->Call(*stubs_->artifacts, &v1::ArtifactService::Stub::CreateUpload, create)
                      : stubs_->Call(*stubs_->artifacts, &v1::ArtifactService::Stub::GetUpload, get);
    absl::Status status = upload.status();
    if (upload.ok()) {
      // Also how an attempt shows whose bytes had all arrived before its answer was lost.
      if (upload->has_artifact()) return upload->artifact();
      get.set_name(upload->name());
      auto artifact = SendRest(*stubs_->artifacts, *upload, bytes, cancel, on_progress, convert);
      if (artifact.ok()) return artifact;
      status = artifact.status();
    }
    if (cancel.IsCancelled()) return Cancelled();
    if (!pace.Retry(status, cancel)) return Annotate(status, absl::StrFormat("uploading '%s'", path));
  }
}

namespace {

// What has arrived of a download, over all its attempts.
struct Download {
  std::unique_ptr<AtomicFile> file;
  Sha256 sha256;
  uint64_t offset = 0;
  uint64_t size = 0;
  std::string expected_sha256;
};

// One stream from `download->offset` on.
absl::Status ReceiveRest(v1::ArtifactService::Stub& stub, const std::string& name, Download* download,
                         const CancelToken& cancel, const TransferProgress& on_progress,
                         const std::function<absl::Status(const grpc::Status&)>& convert) {
  v1::DownloadArtifactRequest request;
  request.set_name(name);
  request.set_offset(download->offset);
  request.set_chunk_size_bytes(kFrameBytes);
  grpc::ClientContext context;
  const StreamCanceller canceller(&context, cancel);
  const auto stream = stub.DownloadArtifact(&context, request);
  v1::DownloadArtifactResponse frame;
  absl::Status written;
  while (written.ok() && stream->Read(&frame)) {
    if (frame.has_header()) {
      download->size = frame.header().artifact().size_bytes();
      download->expected_sha256 = frame.header().artifact().sha256();
    }
    const std::string& data = frame.data();
    if (data.empty()) continue;
    download->sha256.Update(data);
    written = download->file->Append(
        absl::Span<const uint8_t>(static_cast<const uint8_t*>(static_cast<const void*>(data.data())), data.size()));
    download->offset += data.size();
    if (on_progress) on_progress(download->offset, download->size);
  }
  if (!written.ok()) context.TryCancel();
  const grpc::Status finished = stream->Finish();
  return written.ok() ? convert(finished) : written;
}

}  // namespace

absl::Status Client::DownloadFile(const std::string& artifact, const std::string& path, const CancelToken& cancel,
                                  const TransferProgress& on_progress) {
  Download download;
  LATHE_ASSIGN_OR_RETURN(download.file, AtomicFile::Create(path));
  RetryPace pace;
  while (true) {
    const uint64_t offset_before = download.offset;
    const absl::Status status = ReceiveRest(*stubs_->artifacts, artifact, &download, cancel, on_progress,
                                            [this](const grpc::Status& finished) { return stubs_->Convert(finished); });
    if (status.ok()) break;
    if (cancel.IsCancelled()) return Cancelled();
    if (download.offset > offset_before) pace.Succeeded();
    if (!pace.Retry(status, cancel)) return Annotate(status, absl::StrFormat("downloading %s", artifact));
  }
  if (download.offset != download.size || Raw(download.sha256.Finish()) != download.expected_sha256) {
    return MakeError(absl::StatusCode::kDataLoss, "DIGEST_MISMATCH",
                     absl::StrFormat("downloading %s: %d of %d bytes arrived and their SHA-256 is not the artifact's; "
                                     "'%s' was not written",
                                     artifact, download.offset, download.size, path));
  }
  return download.file->Commit();
}

}  // namespace lathe

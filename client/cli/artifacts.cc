// lathe artifacts ...

#include <algorithm>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "client/cli/commands.h"
#include "client/cli/job_inputs.h"
#include "client/cli/remote_job.h"
#include "client/cli/table_row.h"
#include "client/cli/terminal.h"
#include "lathe/v1/artifact_service.pb.h"

namespace lathe {
namespace {

constexpr uint32_t kPageSizeMax = 1000;

absl::StatusOr<v1::Artifact::Kind> ParseKind(const std::string& text) {
  v1::Artifact::Kind kind = v1::Artifact::KIND_UNSPECIFIED;
  if (v1::Artifact::Kind_Parse(absl::AsciiStrToUpper(text), &kind) && kind != v1::Artifact::KIND_UNSPECIFIED) {
    return kind;
  }
  return UsageError(absl::StrFormat("--kind '%s': expected model, dataset, report, log or blob", text));
}

v1::Artifact::Kind KindOfFile(const std::string& path) {
  if (absl::EndsWithIgnoreCase(path, ".tflite")) return v1::Artifact::MODEL;
  constexpr const char* kDataEndings[] = {".npz", ".npy", ".parquet", ".arrow", ".arrows", ".feather"};
  const bool data = std::any_of(std::begin(kDataEndings), std::end(kDataEndings),
                                [&](const char* ending) { return absl::EndsWithIgnoreCase(path, ending); });
  return data ? v1::Artifact::DATASET : v1::Artifact::BLOB;
}

std::string ArtifactLine(const v1::Artifact& artifact) {
  return absl::StrFormat("%s  %-8s %10s  %s\n", artifact.name(), v1::Artifact::Kind_Name(artifact.kind()),
                         BytesText(artifact.size_bytes()), v1::Artifact::State_Name(artifact.state()));
}

}  // namespace

absl::Status PutArtifact(const PutOptions& options, Output& output) {
  v1::Artifact::Kind kind = KindOfFile(options.path);
  if (!options.kind.empty()) {
    LATHE_ASSIGN_OR_RETURN(kind, ParseKind(options.kind));
  }
  LATHE_RETURN_IF_ERROR(CheckReadable("file", options.path));
  LATHE_ASSIGN_OR_RETURN(const auto client, Client::Connect(options.server));
  absl::StatusOr<v1::Artifact> artifact;
  {
    ProgressLine line;
    artifact = client->UploadFile(options.path, kind, InterruptToken(), [&](uint64_t done, uint64_t total) {
      line.Show("upload", "upload", static_cast<double>(done) / static_cast<double>(total));
    });
  }
  LATHE_RETURN_IF_ERROR(artifact.status());
  output.Answer(*artifact, artifact->name());
  return absl::OkStatus();
}

absl::Status DownloadArtifact(const DownloadOptions& options, Output& output) {
  LATHE_RETURN_IF_ERROR(CheckWritable("-o", options.out));
  LATHE_ASSIGN_OR_RETURN(const auto client, Client::Connect(options.server));
  const std::string name = ArtifactName(options.name);
  LATHE_ASSIGN_OR_RETURN(const v1::Artifact artifact, client->StatArtifact(name));
  {
    ProgressLine line;
    LATHE_RETURN_IF_ERROR(client->DownloadFile(name, options.out, InterruptToken(), [&](uint64_t done, uint64_t total) {
      line.Show("download", "download", total == 0 ? 1 : static_cast<double>(done) / static_cast<double>(total));
    }));
  }
  output.Answer(artifact, "wrote " + options.out);
  return absl::OkStatus();
}

absl::Status StatArtifact(const NameOptions& options, Output& output) {
  LATHE_ASSIGN_OR_RETURN(const auto client, Client::Connect(options.server));
  LATHE_ASSIGN_OR_RETURN(const v1::Artifact artifact, client->StatArtifact(ArtifactName(options.name)));
  output.Answer(artifact, ArtifactLine(artifact));
  return absl::OkStatus();
}

absl::Status ListArtifacts(const ListOptions& options, Output& output) {
  v1::ListArtifactsRequest request;
  if (!options.kind.empty()) {
    LATHE_ASSIGN_OR_RETURN(const v1::Artifact::Kind kind, ParseKind(options.kind));
    request.set_kind(kind);
  }
  LATHE_ASSIGN_OR_RETURN(const auto client, Client::Connect(options.server));
  v1::ListArtifactsResponse answer;
  std::string text;
  while (static_cast<uint32_t>(answer.artifacts_size()) < options.limit) {
    request.set_page_size(std::min(options.limit - static_cast<uint32_t>(answer.artifacts_size()), kPageSizeMax));
    LATHE_ASSIGN_OR_RETURN(const v1::ListArtifactsResponse page, client->ListArtifacts(request));
    for (const v1::Artifact& artifact : page.artifacts()) text += ArtifactLine(artifact);
    answer.mutable_artifacts()->MergeFrom(page.artifacts());
    answer.set_next_page_token(page.next_page_token());
    request.set_page_token(page.next_page_token());
    if (page.next_page_token().empty()) break;
  }
  output.Answer(answer, text);
  return absl::OkStatus();
}

absl::Status DeleteArtifact(const NameOptions& options, Output& output) {
  LATHE_ASSIGN_OR_RETURN(const auto client, Client::Connect(options.server));
  LATHE_RETURN_IF_ERROR(client->DeleteArtifact(ArtifactName(options.name)));
  output.AnswerJson("{}", "deleted " + ArtifactName(options.name));
  return absl::OkStatus();
}

}  // namespace lathe

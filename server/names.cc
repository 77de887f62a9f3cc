#include "server/names.h"

#include <vector>

#include "absl/strings/str_split.h"
#include "common/digest.h"
#include "common/random_id.h"

namespace lathe {
namespace {

struct NameParts {
  std::string project, id;
};

absl::Status BadName(std::string_view field, std::string_view name, std::string_view form) {
  return MakeViolationsError(
      {{std::string(field), name.empty() ? absl::StrFormat("is required: %s", form)
                                         : absl::StrFormat("'%s' is not of the form %s", name.substr(0, 120), form)}});
}

absl::Status CheckProject(std::string_view project) {
  if (project == kDefaultProject) return absl::OkStatus();
  return MakeError(
      absl::StatusCode::kNotFound, "PROJECT_NOT_FOUND",
      absl::StrFormat("no project '%s'; this server has projects/%s", project.substr(0, 64), kDefaultProject));
}

absl::StatusOr<NameParts> Split(std::string_view name, std::string_view field, std::string_view collection,
                                std::string_view form, bool (*is_id)(std::string_view)) {
  const std::vector<std::string> parts = absl::StrSplit(absl::string_view(name.data(), name.size()), '/');
  if (parts.size() != 4 || parts[0] != "projects" || parts[1].empty() || parts[2] != collection || !is_id(parts[3])) {
    return BadName(field, name, form);
  }
  LATHE_RETURN_IF_ERROR(CheckProject(parts[1]));
  return NameParts{parts[1], parts[3]};
}

}  // namespace

absl::StatusOr<JobKey> ParseJobName(std::string_view name, std::string_view field) {
  LATHE_ASSIGN_OR_RETURN(const NameParts parts,
                         Split(name, field, "jobs", "projects/{project}/jobs/{job}", IsResourceId));
  return JobKey{parts.project, parts.id};
}

absl::StatusOr<ArtifactKey> ParseArtifactName(std::string_view name, std::string_view field) {
  LATHE_ASSIGN_OR_RETURN(
      const NameParts parts,
      Split(name, field, "artifacts", "projects/{project}/artifacts/{sha256: 64 lower-case hex digits}", IsHexDigest));
  return ArtifactKey{parts.project, parts.id};
}

absl::StatusOr<UploadKey> ParseUploadName(std::string_view name, std::string_view field) {
  LATHE_ASSIGN_OR_RETURN(const NameParts parts,
                         Split(name, field, "uploads", "projects/{project}/uploads/{upload}", IsResourceId));
  return UploadKey{parts.project, parts.id};
}

absl::StatusOr<std::string> ParseParent(std::string_view parent) {
  if (parent.empty()) return std::string(kDefaultProject);
  constexpr std::string_view kPrefix = "projects/";
  const std::string_view project = parent.substr(std::min(parent.size(), kPrefix.size()));
  if (parent.substr(0, kPrefix.size()) != kPrefix || project.empty() || project.find('/') != std::string_view::npos) {
    return BadName("parent", parent, "projects/{project}");
  }
  LATHE_RETURN_IF_ERROR(CheckProject(project));
  return std::string(project);
}

std::string JobName(const JobKey& key) { return absl::StrFormat("projects/%s/jobs/%s", key.project, key.id); }
std::string ArtifactName(std::string_view project, std::string_view sha256) {
  return absl::StrFormat("projects/%s/artifacts/%s", project, sha256);
}
std::string UploadName(std::string_view project, std::string_view id) {
  return absl::StrFormat("projects/%s/uploads/%s", project, id);
}

}  // namespace lathe

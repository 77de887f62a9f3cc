#ifndef LATHE_SERVER_NAMES_H_
#define LATHE_SERVER_NAMES_H_

// Names of resources: projects/{project}/jobs/{job}, .../artifacts/{sha256}, .../uploads/{upload}.
//
// The parsers take the path of the request's field that holds the name, for the violation. INVALID_ARGUMENT
// BAD_REQUEST: not a name of that kind. NOT_FOUND PROJECT_NOT_FOUND: another project than "default", the only one of
// this version (never PERMISSION_DENIED: that would tell what exists).

#include <string>
#include <string_view>

#include "common/status.h"
#include "storage/job_store.h"

namespace lathe {

inline constexpr char kDefaultProject[] = "default";

struct ArtifactKey {
  std::string project, sha256;  // 64 lower-case hex digits
};
struct UploadKey {
  std::string project, id;
};

absl::StatusOr<JobKey> ParseJobName(std::string_view name, std::string_view field = "name");
absl::StatusOr<ArtifactKey> ParseArtifactName(std::string_view name, std::string_view field = "name");
absl::StatusOr<UploadKey> ParseUploadName(std::string_view name, std::string_view field = "name");
// A project's id of projects/{project}; "" is the default project.
absl::StatusOr<std::string> ParseParent(std::string_view parent);

std::string JobName(const JobKey& key);
std::string ArtifactName(std::string_view project, std::string_view sha256);
std::string UploadName(std::string_view project, std::string_view id);

}  // namespace lathe

#endif  // LATHE_SERVER_NAMES_H_

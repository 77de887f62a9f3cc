#include "server/model_question.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "common/random_id.h"
#include "executor/supervisor.h"

namespace lathe {

absl::StatusOr<std::unique_ptr<ModelQuestion>> ModelQuestion::Create(const std::string& jobs_dir, Edge& edge) {
  std::unique_ptr<ModelQuestion> question(
      new ModelQuestion(jobs_dir + "/inspect-" + TimeOrderedId(edge.clock().NowMicros()), edge));
  std::error_code error;
  std::filesystem::create_directories(question->path_ + "/input", error);
  if (!error) return question;
  return MakeError(absl::StatusCode::kUnavailable, "STORAGE_UNAVAILABLE",
                   absl::StrFormat("cannot make '%s': %s", question->path_, error.message()));
}

ModelQuestion::~ModelQuestion() {
  std::error_code ignored;  // what stays is swept at the next start
  std::filesystem::remove_all(path_, ignored);
}

absl::StatusOr<std::string> ModelQuestion::AddInput(Artifacts& artifacts, const std::string& sha256,
                                                    const std::string& name) {
  const std::string relative = "input/" + name;
  LATHE_RETURN_IF_ERROR(artifacts.store().LinkTo(sha256, path_ + "/" + relative));
  return relative;
}

absl::StatusOr<internal::v1::ExecutorResult> ModelQuestion::Ask(internal::v1::ExecutorSpec spec,
                                                                const std::string& executor_path,
                                                                std::chrono::milliseconds timeout,
                                                                const CancelToken& cancel) {
  ExecutorLaunch launch;
  launch.executor_path = executor_path;
  launch.job_dir = path_;
  launch.spec = std::move(spec);
  if (launch.spec.threads() == 0) launch.spec.set_threads(1);
  launch.spec.set_memory_bytes(launch.limits.memory_bytes);
  launch.limits.wall = timeout;
  ExecutorExit exit;
  auto result = RunExecutor(
      launch, [](const auto&) {}, cancel, &exit);
  edge_.metrics().ExecutorExited(exit.outcome);
  return result;
}

}  // namespace lathe

#ifndef LATHE_SERVER_MODEL_QUESTION_H_
#define LATHE_SERVER_MODEL_QUESTION_H_

#include <chrono>
#include <memory>
#include <string>

#include "common/cancel.h"
#include "common/status.h"
#include "lathe/internal/v1/executor.pb.h"
#include "server/edge.h"
#include "storage/artifacts.h"

namespace lathe {

// One question about models, answered by an executor in a job directory of its own, which goes with the object. Used by
// one thread.
class ModelQuestion {
 public:
  // Makes the directory below `jobs_dir`. UNAVAILABLE STORAGE_UNAVAILABLE.
  static absl::StatusOr<std::unique_ptr<ModelQuestion>> Create(const std::string& jobs_dir, Edge& edge);
  ~ModelQuestion();
  ModelQuestion(const ModelQuestion&) = delete;
  ModelQuestion& operator=(const ModelQuestion&) = delete;

  // Puts an artifact's bytes into the directory; its path there, for the spec. Errors of ArtifactStore::LinkTo.
  absl::StatusOr<std::string> AddInput(Artifacts& artifacts, const std::string& sha256, const std::string& name);

  // Work of the spec by the executor, on `threads` threads, for at most `timeout`. Errors as RunExecutor.
  absl::StatusOr<internal::v1::ExecutorResult> Ask(internal::v1::ExecutorSpec spec, const std::string& executor_path,
                                                   std::chrono::milliseconds timeout, const CancelToken& cancel);

 private:
  ModelQuestion(std::string path, Edge& edge) : path_(std::move(path)), edge_(edge) {}
  const std::string path_;
  Edge& edge_;
};

}  // namespace lathe

#endif  // LATHE_SERVER_MODEL_QUESTION_H_

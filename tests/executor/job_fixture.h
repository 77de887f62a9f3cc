#ifndef LATHE_TESTS_EXECUTOR_JOB_FIXTURE_H_
#define LATHE_TESTS_EXECUTOR_JOB_FIXTURE_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "common/file.h"
#include "executor/job.h"
#include "optimizer/model/model_writer.h"
#include "tests/support/shared_dir.h"

namespace lathe {

// A job directory in which work runs in this process.
class JobTest : public testing::Test {
 protected:
  JobTest() {
    std::filesystem::create_directories(dir() + "/input");
    std::filesystem::create_directories(dir() + "/out");
    spec_.set_threads(2);
  }
  std::string dir() const { return folder_.path(); }

  void PutModel(const Model& model) { ASSERT_TRUE(WriteModelToFile(model, dir() + "/input/model").ok()); }
  void PutFile(const std::string& name, const std::string& bytes) {
    ASSERT_TRUE(WriteFileAtomically(dir() + "/input/" + name, bytes).ok());
  }
  void SetPreset(const std::string& preset) {
    spec_.mutable_optimize()->set_model("input/model");
    spec_.mutable_optimize()->mutable_recipe()->set_preset(preset);
  }
  absl::StatusOr<internal::v1::ExecutorResult> Run() {
    EventWriter events(-1);  // nobody listens
    return RunJob(JobContext{dir(), spec_, events, cancel_});
  }
  std::string Output() const { return ReadFile(dir() + "/out/model.tflite", uint64_t{1} << 30).value_or(""); }

  const TempDir folder_;
  internal::v1::ExecutorSpec spec_;
  CancelToken cancel_;
};

}  // namespace lathe

#endif  // LATHE_TESTS_EXECUTOR_JOB_FIXTURE_H_

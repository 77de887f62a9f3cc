#include "worker/executor_spec.h"

#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace lathe {
namespace {

const std::string kDigest(64, 'a');
const std::string kName = "projects/default/artifacts/" + kDigest;

TEST(ExecutorSpecTest, PointsAtStagedInputs) {
  v1::JobSpec job;
  job.mutable_optimize()->set_model(kName);
  job.mutable_optimize()->mutable_recipe()->set_preset("int8");
  job.mutable_optimize()->set_sensitivity(true);
  v1::DatasetRef& data = *job.mutable_optimize()->mutable_calibration();
  data.set_artifact("projects/default/artifacts/" + std::string(64, 'b'));
  data.set_seed(7);
  data.set_sample_limit(5);
  data.mutable_preprocessing()->set_scale(0.5);
  data.mutable_input_range()->set_low(-1);
  data.mutable_input_range()->set_high(1);
  const auto spec = MakeExecutorSpec(job, {.threads = 2});
  ASSERT_TRUE(Succeeds(spec));
  EXPECT_EQ(spec->optimize().model(), "input/" + kDigest);
  EXPECT_EQ(spec->optimize().calibration(), "input/" + std::string(64, 'b'));
  EXPECT_EQ(spec->optimize().recipe().preset(), "int8");
  EXPECT_EQ(spec->optimize().model_sha256(), std::string(32, '\xaa'));
  EXPECT_TRUE(spec->optimize().benchmark());
  EXPECT_TRUE(spec->optimize().sensitivity());
  EXPECT_EQ(spec->seed(), 7u);
  EXPECT_EQ(spec->samples().sample_limit(), 5u);
  EXPECT_EQ(spec->samples().preprocessing().scale(), 0.5);
  EXPECT_FALSE(spec->samples().preprocessing().has_mean());
  EXPECT_EQ(spec->samples().input_low(), -1);
  EXPECT_EQ(spec->threads(), 2u);
}

TEST(ExecutorSpecTest, TakesTheLowerBudget) {
  v1::JobSpec job;
  job.mutable_benchmark()->set_model(kName);
  job.mutable_budgets()->set_threads(8);
  job.mutable_budgets()->set_memory_bytes(100);
  const auto spec = MakeExecutorSpec(job, {.threads = 2, .memory_bytes = 200});
  ASSERT_TRUE(Succeeds(spec));
  EXPECT_EQ(spec->threads(), 2u);
  EXPECT_EQ(spec->memory_bytes(), 100u);
  EXPECT_EQ(spec->benchmark().against(), "");
  EXPECT_EQ(spec->benchmark().data(), "");
  EXPECT_FALSE(spec->benchmark().profile());
  job.mutable_benchmark()->set_profile(true);
  job.mutable_benchmark()->mutable_data()->set_artifact(kName);
  const auto full = MakeExecutorSpec(job, {.threads = 2, .memory_bytes = 200});
  ASSERT_TRUE(Succeeds(full));
  EXPECT_TRUE(full->benchmark().profile());
  EXPECT_EQ(full->benchmark().data(), full->benchmark().model());
}

TEST(ExecutorSpecTest, CarriesEvaluationAndGates) {
  v1::JobSpec job;
  v1::OptimizeSpec& optimize = *job.mutable_optimize();
  optimize.mutable_evaluation()->set_artifact(kName);
  optimize.mutable_evaluation()->mutable_preprocessing()->set_scale(0.5);
  optimize.set_metric("top1");
  optimize.mutable_metric_options()->set_label_offset(1);
  optimize.add_acceptance()->set_metric("output.bytes");
  const auto spec = MakeExecutorSpec(job, {.threads = 2});
  ASSERT_TRUE(Succeeds(spec));
  EXPECT_EQ(spec->optimize().evaluation(), "input/" + kDigest);
  EXPECT_EQ(spec->optimize().evaluation_samples().preprocessing().scale(), 0.5);
  EXPECT_EQ(spec->optimize().metric(), "top1");
  EXPECT_EQ(spec->optimize().metric_options().label_offset(), 1);
  EXPECT_EQ(spec->optimize().gates(0).metric(), "output.bytes");
}

TEST(ExecutorSpecTest, EvaluatesOneModelOrTwo) {
  v1::JobSpec job;
  v1::EvaluateSpec& evaluate = *job.mutable_evaluate();
  evaluate.set_model(kName);
  evaluate.set_metric("wer");
  evaluate.mutable_data()->set_artifact(kName);
  evaluate.mutable_data()->set_sample_limit(3);
  const auto spec = MakeExecutorSpec(job, {.threads = 2});
  ASSERT_TRUE(Succeeds(spec));
  EXPECT_EQ(spec->evaluate().model(), "input/" + kDigest);
  EXPECT_EQ(spec->evaluate().data(), "input/" + kDigest);
  EXPECT_EQ(spec->evaluate().against(), "");
  EXPECT_EQ(spec->evaluate().metric(), "wer");
  EXPECT_EQ(spec->samples().sample_limit(), 3u);
}

TEST(ExecutorSpecTest, RefusesOtherKinds) {
  EXPECT_TRUE(Fails(MakeExecutorSpec(v1::JobSpec(), {}), absl::StatusCode::kUnimplemented, "KIND_UNIMPLEMENTED"));
}

}  // namespace
}  // namespace lathe

#include "server/job_service.h"

#include <set>

#include "tests/server/server_fixture.h"

namespace lathe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using JobServiceTest = ServerTest;

// The error of a call, with a context of its own.
template <typename Stub, typename Request, typename Response>
RpcError ErrorOf(Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                 const Request& request) {
  grpc::ClientContext context;
  Response response;
  return Decode((stub.*method)(&context, request, &response));
}

TEST_F(JobServiceTest, RunsAJobToItsResult) {
  const v1::Job submitted = SubmitOne();
  EXPECT_THAT(submitted.name(), HasSubstr("projects/default/jobs/j-"));
  EXPECT_EQ(submitted.spec().budgets().memory_bytes(), uint64_t{4} << 30);
  EXPECT_EQ(submitted.resolved_recipe().quantize().scheme(), v1::Quantize::DYNAMIC_RANGE);
  executor_->WaitForAttempts(1);
  EXPECT_EQ(Get(submitted.name()).state(), v1::Job::RUNNING);
  executor_->Succeed("smaller");
  const v1::JobEvent last = Watch(submitted.name(), 0).back();
  EXPECT_EQ(last.state_change().state(), v1::Job::SUCCEEDED);
  const v1::Job job = Get(submitted.name());
  EXPECT_EQ(job.state(), v1::Job::SUCCEEDED);
  EXPECT_EQ(job.attempt(), 1U);
  ASSERT_EQ(job.result().outputs_size(), 1);
  EXPECT_EQ(job.result().outputs(0).size_bytes(), 7U);
  EXPECT_TRUE(job.has_finish_time());
}

TEST_F(JobServiceTest, ReportsTheErrorOfAFailedJob) {
  const v1::Job job = SubmitOne();
  executor_->WaitForAttempts(1);
  executor_->Fail(MakeError(absl::StatusCode::kInvalidArgument, "MODEL_CORRUPT", "no TFL3 at byte 4"));
  Watch(job.name(), 0);
  const v1::Job failed = Get(job.name());
  EXPECT_EQ(failed.state(), v1::Job::FAILED);
  EXPECT_EQ(failed.error().code(), 3);
  google::rpc::ErrorInfo info;
  ASSERT_EQ(failed.error().details_size(), 1);
  ASSERT_TRUE(failed.error().details(0).UnpackTo(&info));
  EXPECT_EQ(info.reason(), "MODEL_CORRUPT");
}

TEST_F(JobServiceTest, RepeatedRequestIdReturnsTheStoredJob) {
  v1::SubmitJobRequest request = OptimizeRequest(Upload("a model"));
  request.set_request_id("one");
  const v1::Job first = Submit(request), second = Submit(request);
  EXPECT_EQ(first.name(), second.name());
  request.mutable_spec()->mutable_optimize()->set_skip_benchmark(true);
  const RpcError error = ErrorOf(*jobs_, &v1::JobService::Stub::SubmitJob, request);
  EXPECT_EQ(error.code, grpc::StatusCode::ALREADY_EXISTS);
  EXPECT_EQ(error.reason, "REQUEST_ID_REUSED");
}

TEST_F(JobServiceTest, NamesEveryBadFieldAtOnce) {
  v1::SubmitJobRequest request = OptimizeRequest("nonsense");
  request.mutable_spec()->mutable_optimize()->mutable_recipe()->set_preset("no-such");
  request.mutable_spec()->mutable_budgets()->set_memory_bytes(1);
  request.mutable_spec()->mutable_attempt_timeout()->set_seconds(-1);
  request.set_request_id(std::string(65, 'x'));
  request.set_job_id("Bad Id");
  (*request.mutable_labels())[""] = "empty key";
  const RpcError error = ErrorOf(*jobs_, &v1::JobService::Stub::SubmitJob, request);
  EXPECT_EQ(error.code, grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(error.reason, "BAD_REQUEST");
  EXPECT_THAT(error.violated_fields,
              IsSupersetOf({"spec.optimize.model", "spec.optimize.recipe.preset", "spec.budgets.memory_bytes",
                            "spec.attempt_timeout", "request_id", "job_id", "labels"}));
}

TEST_F(JobServiceTest, TakesRulesAndReturnsThemResolved) {
  v1::SubmitJobRequest request = OptimizeRequest(Upload("a model"));
  v1::Recipe& recipe = *request.mutable_spec()->mutable_optimize()->mutable_recipe();
  recipe.set_preset("int8");
  recipe.set_effort(v1::Recipe::BEST);
  recipe.set_min_sqnr_db(30);
  recipe.mutable_quantize()->mutable_activations()->set_ranges(v1::Quantize::Activations::ENTROPY);
  v1::Rule& rule = *recipe.add_rules();
  rule.mutable_selector()->add_kinds("FULLY_CONNECTED");
  rule.mutable_quantize()->mutable_weights()->set_bits(4);
  request.mutable_spec()->mutable_optimize()->set_sensitivity(true);
  const v1::Job job = Submit(request);
  EXPECT_TRUE(job.spec().optimize().sensitivity());
  const v1::Recipe& resolved = job.resolved_recipe();
  EXPECT_EQ(resolved.min_sqnr_db(), 30);
  EXPECT_EQ(resolved.correct().rounding(), v1::Correct::BEST);
  EXPECT_EQ(resolved.quantize().activations().ranges(), v1::Quantize::Activations::ENTROPY);
  ASSERT_EQ(resolved.rules_size(), 1);
  EXPECT_EQ(resolved.rules(0).quantize().scheme(), v1::Quantize::FULL_INTEGER);
  EXPECT_EQ(resolved.rules(0).quantize().weights().bits(), 4u);
}

TEST_F(JobServiceTest, NamesFieldsOfRules) {
  v1::SubmitJobRequest request = OptimizeRequest(Upload("a model"));
  v1::Rule& rule = *request.mutable_spec()->mutable_optimize()->mutable_recipe()->add_rules();
  rule.mutable_selector()->add_kinds("CONV2D");
  rule.mutable_quantize()->mutable_weights()->set_bits(5);
  EXPECT_THAT(ErrorOf(*jobs_, &v1::JobService::Stub::SubmitJob, request).violated_fields,
              ElementsAre("spec.optimize.recipe.rules[0].selector.kinds[0]",
                          "spec.optimize.recipe.rules[0].quantize.weights.bits"));
}

TEST_F(JobServiceTest, MissingArtifactIsNamed) {
  const std::string name = "projects/default/artifacts/" + std::string(64, 'a');
  const RpcError error = ErrorOf(*jobs_, &v1::JobService::Stub::SubmitJob, OptimizeRequest(name));
  EXPECT_EQ(error.code, grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(error.reason, "ARTIFACT_NOT_FOUND");
  EXPECT_THAT(error.message, HasSubstr(name));
}

TEST_F(JobServiceTest, ArtifactOfAnotherKindIsRefused) {
  const RpcError error =
      ErrorOf(*jobs_, &v1::JobService::Stub::SubmitJob, OptimizeRequest(Upload("data", v1::Artifact::DATASET)));
  EXPECT_THAT(error.violated_fields, ElementsAre("spec.optimize.model"));
}

TEST_F(JobServiceTest, DeclaredKindsAreUnimplementedWithAReason) {
  for (const int kind : {1, 2}) {
    v1::SubmitJobRequest request;
    if (kind == 1) request.mutable_spec()->mutable_search();
    if (kind == 2) request.mutable_spec()->mutable_inspect();
    const RpcError error = ErrorOf(*jobs_, &v1::JobService::Stub::SubmitJob, request);
    EXPECT_EQ(error.code, grpc::StatusCode::UNIMPLEMENTED);
    EXPECT_EQ(error.reason, "KIND_UNIMPLEMENTED");
  }
}

TEST_F(JobServiceTest, EvaluationsNeedDataAMetricAndWhateverThatCompares) {
  v1::SubmitJobRequest request;
  v1::EvaluateSpec& evaluate = *request.mutable_spec()->mutable_evaluate();
  evaluate.set_model(Upload("a model"));
  EXPECT_THAT(ErrorOf(*jobs_, &v1::JobService::Stub::SubmitJob, request).violated_fields,
              ElementsAre("spec.evaluate.data.artifact", "spec.evaluate.metric"));
  evaluate.mutable_data()->set_artifact(Upload("data", v1::Artifact::DATASET));
  evaluate.set_metric("agreement");
  evaluate.mutable_options()->set_peak(-1);
  EXPECT_THAT(ErrorOf(*jobs_, &v1::JobService::Stub::SubmitJob, request).violated_fields,
              ElementsAre("spec.evaluate.options.peak", "spec.evaluate.against"));
  evaluate.clear_options();
  evaluate.set_metric("top1");
  EXPECT_TRUE(Submit(request).spec().has_evaluate());
}

TEST_F(JobServiceTest, GatesOnWhatTheJobDoesNotMeasureAreRefused) {
  v1::SubmitJobRequest request = OptimizeRequest(Upload("a model"));
  for (const char* metric : {"output.bytes", "accuracy.output", "error.outputs[0].sqnr_db", "output.colour"}) {
    v1::Gate& gate = *request.mutable_spec()->mutable_optimize()->add_acceptance();
    gate.set_metric(metric);
    gate.set_operator_(v1::Gate::LESS);
    gate.set_absolute(1);
  }
  EXPECT_THAT(ErrorOf(*jobs_, &v1::JobService::Stub::SubmitJob, request).violated_fields,
              ElementsAre("spec.optimize.acceptance[1]", "spec.optimize.acceptance[2]", "spec.optimize.acceptance[3]"));
}

TEST_F(JobServiceTest, ValidateOnlyStoresNothing) {
  v1::SubmitJobRequest request = OptimizeRequest(Upload("a model"));
  request.set_validate_only(true);
  const v1::Job job = Submit(request);
  EXPECT_EQ(job.name(), "");
  EXPECT_TRUE(job.has_resolved_recipe());
  grpc::ClientContext context;
  v1::ListJobsResponse list;
  ASSERT_TRUE(jobs_->ListJobs(&context, {}, &list).ok());
  EXPECT_EQ(list.jobs_size(), 0);
}

TEST_F(JobServiceTest, ClampsBudgets) {
  v1::SubmitJobRequest request = OptimizeRequest(Upload("a model"));
  request.mutable_spec()->mutable_budgets()->set_memory_bytes(uint64_t{1} << 40);
  request.mutable_spec()->mutable_attempt_timeout()->set_seconds(1'000'000);
  const v1::Job job = Submit(request);
  EXPECT_EQ(job.spec().budgets().memory_bytes(), uint64_t{4} << 30);
  EXPECT_EQ(job.spec().attempt_timeout().seconds(), 3600);
}

TEST_F(JobServiceTest, ListsAllJobsInPagesOfAFilter) {
  std::set<std::string> submitted, listed;
  for (int i = 0; i < 5; ++i) submitted.insert(SubmitOne().name());
  v1::ListJobsRequest request;
  request.set_page_size(2);
  request.add_states(v1::Job::QUEUED);
  request.add_states(v1::Job::RUNNING);
  for (int pages = 0; pages < 4; ++pages) {
    grpc::ClientContext context;
    v1::ListJobsResponse response;
    ASSERT_TRUE(jobs_->ListJobs(&context, request, &response).ok());
    for (const auto& job : response.jobs()) listed.insert(job.name());
    request.set_page_token(response.next_page_token());
    if (response.next_page_token().empty()) break;
    EXPECT_EQ(response.jobs_size(), 2);
  }
  EXPECT_EQ(listed, submitted);
  request.set_page_token("bm90IGEgdG9rZW4");
  EXPECT_THAT(ErrorOf(*jobs_, &v1::JobService::Stub::ListJobs, request).violated_fields, ElementsAre("page_token"));
}

TEST_F(JobServiceTest, CancelIsIdempotent) {
  const v1::Job job = SubmitOne();
  executor_->WaitForAttempts(1);
  v1::CancelJobRequest request;
  request.set_name(job.name());
  for (int i = 0; i < 2; ++i) {
    grpc::ClientContext context;
    v1::Job answer;
    ASSERT_TRUE(jobs_->CancelJob(&context, request, &answer).ok());
    EXPECT_TRUE(answer.cancel_requested());
  }
  EXPECT_EQ(Watch(job.name(), 0).back().state_change().state(), v1::Job::CANCELLED);
}

TEST_F(JobServiceTest, DeletesOnlyWhatHasEnded) {
  const v1::Job job = SubmitOne();
  executor_->WaitForAttempts(1);
  v1::DeleteJobRequest request;
  request.set_name(job.name());
  EXPECT_EQ(ErrorOf(*jobs_, &v1::JobService::Stub::DeleteJob, request).reason, "JOB_NOT_FINISHED");
  executor_->Succeed("x");
  Watch(job.name(), 0);
  grpc::ClientContext context;
  google::protobuf::Empty empty;
  EXPECT_TRUE(jobs_->DeleteJob(&context, request, &empty).ok());
  v1::GetJobRequest get;
  get.set_name(job.name());
  EXPECT_EQ(ErrorOf(*jobs_, &v1::JobService::Stub::GetJob, get).reason, "JOB_NOT_FOUND");
}

TEST_F(JobServiceTest, RetryMakesANewJob) {
  const v1::Job job = SubmitOne();
  executor_->WaitForAttempts(1);
  v1::RetryJobRequest request;
  request.set_name(job.name());
  EXPECT_EQ(ErrorOf(*jobs_, &v1::JobService::Stub::RetryJob, request).reason, "JOB_NOT_FINISHED");
  executor_->Fail(MakeError(absl::StatusCode::kInvalidArgument, "MODEL_CORRUPT", "bad"));
  Watch(job.name(), 0);
  grpc::ClientContext context;
  v1::Job again;
  ASSERT_TRUE(jobs_->RetryJob(&context, request, &again).ok());
  EXPECT_NE(again.name(), job.name());
  EXPECT_EQ(again.retry_of(), job.name());
  EXPECT_EQ(again.spec().optimize().model(), job.spec().optimize().model());
}

TEST_F(JobServiceTest, OtherProjectsAreNotFound) {
  v1::GetJobRequest request;
  request.set_name("projects/other/jobs/j-1");
  const RpcError error = ErrorOf(*jobs_, &v1::JobService::Stub::GetJob, request);
  EXPECT_EQ(error.code, grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(error.reason, "PROJECT_NOT_FOUND");
  request.set_name("jobs/j-1");
  EXPECT_THAT(ErrorOf(*jobs_, &v1::JobService::Stub::GetJob, request).violated_fields, ElementsAre("name"));
}

TEST(JobStateTest, NumbersMatchTheStore) {
  for (const JobState state : {JobState::kQueued, JobState::kRunning, JobState::kCancelling, JobState::kSucceeded,
                               JobState::kFailed, JobState::kCancelled, JobState::kExpired}) {
    EXPECT_EQ(v1::Job::State_Name(static_cast<v1::Job::State>(state)), JobStateName(state));
  }
}

}  // namespace
}  // namespace lathe

#include "common/metrics.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "common/build_id.h"
#include "tests/support/status_matchers.h"

namespace lathe {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string Scrape(const std::string& address) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 0) {
    const std::string request = "GET /metrics HTTP/1.0\r\n\r\n";
    EXPECT_EQ(write(fd, request.data(), request.size()), static_cast<ssize_t>(request.size()));
    char buffer[4096];
    for (ssize_t count; (count = read(fd, buffer, sizeof(buffer))) > 0;) {
      answer.append(buffer, static_cast<size_t>(count));
    }
  }
  close(fd);
  return answer;
}

TEST(MetricsTest, CountsWhatItIsTold) {
  Metrics metrics;
  metrics.StartRpc();
  metrics.StartRpc();
  metrics.FinishRpc("lathe.v1.JobService", "GetJob", "OK", 0.0007);
  metrics.JobSubmitted("optimize", "int8");
  metrics.JobFinished("optimize", "int8", "FAILED", "MODEL_CORRUPT");
  metrics.JobStarted("optimize", 0.2);
  metrics.JobRan("optimize", 1.5);
  metrics.ExecutorExited("crashed");
  metrics.AddUploadBytes(1000);
  metrics.AddDownloadBytes(2000);
  const std::string text = metrics.Text();
  EXPECT_THAT(text,
              HasSubstr(R"(lathe_rpc_requests_total{code="OK",method="GetJob",service="lathe.v1.JobService"} 1)"));
  EXPECT_THAT(
      text,
      HasSubstr(R"(lathe_rpc_duration_seconds_bucket{method="GetJob",service="lathe.v1.JobService",le="0.001"} 1)"));
  EXPECT_THAT(text, HasSubstr("lathe_rpc_in_flight 1\n"));
  EXPECT_THAT(text, HasSubstr(R"(lathe_jobs_submitted_total{kind="optimize",preset="int8"} 1)"));
  EXPECT_THAT(
      text,
      HasSubstr(R"(lathe_jobs_finished_total{kind="optimize",preset="int8",reason="MODEL_CORRUPT",state="FAILED"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(lathe_job_queue_wait_seconds_bucket{kind="optimize",le="0.5"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(lathe_job_run_seconds_bucket{kind="optimize",le="1"} 0)"));
  EXPECT_THAT(text, HasSubstr(R"(lathe_executor_exits_total{outcome="crashed"} 1)"));
  EXPECT_THAT(text, HasSubstr("lathe_upload_bytes_total 1000\n"));
  EXPECT_THAT(text, HasSubstr("lathe_download_bytes_total 2000\n"));
  EXPECT_THAT(text, HasSubstr("lathe_build_info{"));
  EXPECT_THAT(text, HasSubstr(std::string(BuildId())));
}

TEST(MetricsTest, AsksForTheQueueAtEachScrape) {
  Metrics metrics;
  int64_t queued = 1;
  metrics.SetQueueSource([&] { return Metrics::Queue{queued, 7}; });
  EXPECT_THAT(metrics.Text(), HasSubstr("lathe_queue_depth 1\n"));
  queued = 2;
  EXPECT_THAT(metrics.Text(), HasSubstr("lathe_queue_depth 2\n"));
  EXPECT_THAT(metrics.Text(), HasSubstr("lathe_jobs_running 7\n"));
  metrics.SetQueueSource({});
  EXPECT_THAT(metrics.Text(), HasSubstr("lathe_queue_depth 2\n"));
}

TEST(MetricsTest, BoundsItsLabels) {
  Metrics metrics;
  for (int i = 0; i < 1100; ++i) metrics.JobSubmitted("optimize", absl::StrFormat("p%d", i));
  metrics.JobSubmitted("optimize", std::string(10'000, 'x'));
  const std::string text = metrics.Text();
  EXPECT_THAT(text, HasSubstr(R"(lathe_jobs_submitted_total{kind="other",preset="other"} 101)"));
  EXPECT_THAT(text, Not(HasSubstr("p1050")));
  EXPECT_THAT(text, Not(HasSubstr(std::string(65, 'x'))));
}

TEST(MetricsTest, ServesOnAnyPort) {
  Metrics metrics;
  metrics.JobSubmitted("optimize", "int8");
  const auto address = metrics.Serve("127.0.0.1:0");
  ASSERT_TRUE(Succeeds(address));
  EXPECT_THAT(*address, Not(HasSubstr(":0")));
  EXPECT_THAT(Scrape(*address), HasSubstr("lathe_jobs_submitted_total"));
  Metrics other;
  EXPECT_TRUE(Fails(other.Serve(*address), absl::StatusCode::kUnavailable, "LISTEN_FAILED", *address));
}

}  // namespace
}  // namespace lathe

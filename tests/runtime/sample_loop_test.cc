#include "runtime/sample_loop.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>

namespace lathe {
namespace {

class CountedSamples : public SampleSource {
 public:
  explicit CountedSamples(size_t count) : count_(count) {}
  absl::StatusOr<bool> Next(Sample* sample) override {
    sample->index = next_.fetch_add(1);
    return sample->index < count_;
  }
  absl::StatusOr<bool> Skip() override { return next_.fetch_add(1) < count_; }
  absl::Status Rewind() override {
    next_ = 0;
    return absl::OkStatus();
  }
  size_t size() const override { return count_; }
  bool synthetic() const override { return true; }

 private:
  size_t count_;
  std::atomic<size_t> next_{0};
};

TEST(ForEachSampleTest, GivesEverySampleOnce) {
  CountedSamples samples(100);
  std::vector<std::set<size_t>> seen(3);
  size_t done = 0;
  SampleLoop loop;
  loop.workers = 3;
  loop.done_one = [&] { ++done; };
  ASSERT_TRUE(ForEachSample(samples, loop, [&](int worker) -> absl::StatusOr<SampleWork> {
                return SampleWork([&seen, worker](const Sample& sample) {
                  seen[static_cast<size_t>(worker)].insert(sample.index);
                  return absl::OkStatus();
                });
              }).ok());
  std::set<size_t> all;
  for (const auto& part : seen) all.insert(part.begin(), part.end());
  EXPECT_EQ(all.size(), 100u);
  EXPECT_EQ(seen[0].size() + seen[1].size() + seen[2].size(), 100u);
  EXPECT_EQ(done, 100u);
}

TEST(ForEachSampleTest, StopsAtTheFirstError) {
  CountedSamples samples(1000000000);
  SampleLoop loop;
  loop.workers = 2;
  const absl::Status status = ForEachSample(samples, loop, [](int) -> absl::StatusOr<SampleWork> {
    return SampleWork(
        [](const Sample& sample) { return sample.index >= 10 ? absl::InternalError("sample") : absl::OkStatus(); });
  });
  EXPECT_EQ(status, absl::InternalError("sample"));
}

TEST(ForEachSampleTest, ReportsAWorkerThatCannotStart) {
  CountedSamples samples(10);
  SampleLoop loop;
  loop.workers = 2;
  const absl::Status status = ForEachSample(
      samples, loop, [](int) -> absl::StatusOr<SampleWork> { return absl::InternalError("no interpreter"); });
  EXPECT_EQ(status, absl::InternalError("no interpreter"));
}

TEST(ForEachSampleTest, EndsWhenCancelled) {
  CountedSamples samples(1000000000);
  SampleLoop loop;
  const absl::Status status = ForEachSample(samples, loop, [&](int) -> absl::StatusOr<SampleWork> {
    return SampleWork([&](const Sample& sample) {
      if (sample.index == 5) loop.cancel.Cancel();
      return absl::OkStatus();
    });
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace lathe

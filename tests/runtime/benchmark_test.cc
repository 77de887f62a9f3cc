#include "runtime/benchmark.h"

#include <gtest/gtest.h>

#include "tests/runtime/loaded_model.h"
#include "tests/support/model_builder.h"

namespace lathe {
namespace {

TEST(SummarizeTest, FindsMedianAndPercentile) {
  EXPECT_DOUBLE_EQ(Summarize({3, 1, 2}).median_ms, 2);
  EXPECT_DOUBLE_EQ(Summarize({4, 1, 2, 3}).median_ms, 2.5);
  EXPECT_FALSE(Summarize({1, 2, 3, 4, 5, 6, 7, 8, 9}).p90_ms.has_value());
  EXPECT_DOUBLE_EQ(*Summarize({1, 2, 3, 4, 5, 6, 7, 8, 9, 10}).p90_ms, 9);
}

// One convolution of about a millisecond, and one of about a hundredth of it.
LoadedModel Conv(int32_t size) {
  ModelBuilder builder;
  builder.Output(builder.Conv2d(builder.Input("x", {1, size, size, 8}), 8, 3, 1));
  return Loaded(builder.Build());
}

TEST(BenchmarkTest, TimesModelsInTurn) {
  const LoadedModel large = Conv(96), small = Conv(8);
  auto samples = MakeSyntheticSamples(large.model, {});
  const BenchmarkModel twice[] = {{&large.model, large.bytes()}, {&large.model, large.bytes()}};
  const auto latencies = Benchmark(twice, **samples, {});
  ASSERT_TRUE(latencies.ok()) << latencies.status();
  ASSERT_EQ(latencies->size(), 2u);
  for (const Latency& latency : *latencies) {
    EXPECT_GT(latency.median_ms, 0);
    EXPECT_GE(latency.runs, 3);
    EXPECT_LE(latency.runs, 50);
  }
  auto small_samples = MakeSyntheticSamples(small.model, {});
  const BenchmarkModel one[] = {{&small.model, small.bytes()}};
  const auto quick = Benchmark(one, **small_samples, {});
  ASSERT_TRUE(quick.ok()) << quick.status();
  EXPECT_LT((*quick)[0].median_ms, (*latencies)[0].median_ms);
}

TEST(BenchmarkTest, RunsAsOftenAsToldTo) {
  const LoadedModel model = Conv(8);
  auto samples = MakeSyntheticSamples(model.model, {});
  const BenchmarkModel one[] = {{&model.model, model.bytes()}};
  BenchmarkOptions options;
  options.runs = 60;
  const auto latencies = Benchmark(one, **samples, options);
  ASSERT_TRUE(latencies.ok()) << latencies.status();
  EXPECT_EQ((*latencies)[0].runs, 60);
  options.cancel.Cancel();
  EXPECT_EQ(Benchmark(one, **samples, options).status().code(), absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace lathe

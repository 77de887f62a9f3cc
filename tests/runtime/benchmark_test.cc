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
  const auto measured = Benchmark(twice, **samples, {});
  ASSERT_TRUE(measured.ok()) << measured.status();
  ASSERT_EQ(measured->latencies.size(), 2u);
  for (const Latency& latency : measured->latencies) {
    EXPECT_GT(latency.median_ms, 0);
    EXPECT_GT(latency.load_ms, 0);
    EXPECT_GT(latency.first_run_ms, 0);
    EXPECT_GE(latency.runs, 3);
    EXPECT_LE(latency.runs, 50);
  }
  EXPECT_EQ(measured->loads, 1);
  ASSERT_TRUE(measured->ratio.has_value());
  EXPECT_LE(measured->ratio->low, measured->ratio->high);
  auto small_samples = MakeSyntheticSamples(small.model, {});
  const BenchmarkModel one[] = {{&small.model, small.bytes()}};
  const auto quick = Benchmark(one, **small_samples, {});
  ASSERT_TRUE(quick.ok()) << quick.status();
  EXPECT_FALSE(quick->ratio.has_value());
  EXPECT_LT(quick->latencies[0].median_ms, measured->latencies[0].median_ms);
}

TEST(BenchmarkTest, GoesOnUntilTheRankingIsClear) {
  const LoadedModel large = Conv(48);
  ModelBuilder builder;
  const auto x = builder.Input("x", {1, 48, 48, 8});
  builder.Output(builder.Conv2d(builder.Conv2d(builder.Conv2d(x, 8, 3, 1), 8, 3, 1), 8, 3, 1));
  const LoadedModel threefold = Loaded(builder.Build());
  auto samples = MakeSyntheticSamples(large.model, {});
  BenchmarkOptions options;
  options.decide = true;
  const BenchmarkModel pair[] = {{&large.model, large.bytes()}, {&threefold.model, threefold.bytes()}};
  const auto measured = Benchmark(pair, **samples, options);
  ASSERT_TRUE(measured.ok()) << measured.status();
  EXPECT_EQ(Rank(*measured->ratio), LatencyRanking::kSlower);
  EXPECT_GE(measured->rounds, 10);
  EXPECT_EQ(measured->loads, measured->rounds);  // small models are loaded anew for each round
}

TEST(BenchmarkTest, TellsWhatModelsHold) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "AddressSanitizer's allocator does not say what it holds";
#endif
  // 3 x 3 x 256 x 256 floats are 2.4 MB, which are packed into as many.
  ModelBuilder builder;
  builder.Output(builder.Conv2d(builder.Input("x", {1, 8, 8, 256}), 256, 3, 1));
  const LoadedModel model = Loaded(builder.Build());
  auto samples = MakeSyntheticSamples(model.model, {});
  const BenchmarkModel one[] = {{&model.model, model.bytes()}};
  const auto measured = Benchmark(one, **samples, {});
  ASSERT_TRUE(measured.ok()) << measured.status();
  EXPECT_GT(measured->memory[0].heap_bytes, 2'000'000u);
  EXPECT_LT(measured->memory[0].heap_bytes, 10'000'000u);
}

TEST(BenchmarkTest, RunsAsOftenAsToldTo) {
  const LoadedModel model = Conv(8);
  auto samples = MakeSyntheticSamples(model.model, {});
  const BenchmarkModel one[] = {{&model.model, model.bytes()}};
  BenchmarkOptions options;
  options.runs = 120;
  options.decide = true;
  const auto measured = Benchmark(one, **samples, options);
  ASSERT_TRUE(measured.ok()) << measured.status();
  EXPECT_EQ(measured->latencies[0].runs, 120);
  EXPECT_TRUE(measured->latencies[0].p99_ms.has_value());
  const BenchmarkModel pair[] = {one[0], one[0]};
  options.runs = 12;
  const auto both = Benchmark(pair, **samples, options);
  ASSERT_TRUE(both.ok()) << both.status();
  EXPECT_EQ(both->latencies[1].runs, 12);
  EXPECT_EQ(both->rounds, 10);
  options.cancel.Cancel();
  EXPECT_EQ(Benchmark(one, **samples, options).status().code(), absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace lathe

#include "runtime/collect_histograms.h"

#include <gtest/gtest.h>

#include "runtime/calibrate.h"
#include "tests/support/model_builder.h"
#include "tests/support/temp_dir.h"

namespace lathe {
namespace {

// in [1, 16, 16, 40] -> RELU -> "relu" -> NEG -> "out"; "in" is in [-1, 1).
class CollectHistogramsTest : public ::testing::Test {
 protected:
  CollectHistogramsTest() {
    ModelBuilder builder;
    in_ = builder.Input("in", {1, 16, 16, 40});
    relu_ = builder.Activation("relu", {1, 16, 16, 40});
    out_ = builder.Activation("out", {1, 16, 16, 40});
    builder.AddOp(OpKind::kRelu, {in_}, {relu_});
    builder.AddOp(OpKind::kNeg, {relu_}, {out_});
    builder.Output(out_);
    model_ = builder.Build();
    SampleOptions options;
    options.input_low = -1;
    samples_ = *MakeSyntheticSamples(model_, options);
    CalibrateOptions calibrate;
    calibrate.scratch_dir = dir_.path();
    stats_ = Calibrate(model_, {in_, relu_, out_}, *samples_, calibrate)->stats;
  }

  HistogramTable Collect(HistogramOptions options) {
    options.scratch_dir = dir_.path();
    auto table = CollectHistograms(model_, {in_, relu_, out_}, stats_, *samples_, options);
    EXPECT_TRUE(table.ok()) << table.status();
    return *std::move(table);
  }

  TempDir dir_;
  TensorId in_, relu_, out_;
  Model model_;
  std::unique_ptr<SampleSource> samples_;
  ActivationStats stats_;
};

constexpr uint64_t kElements = 16 * 16 * 40;

TEST_F(CollectHistogramsTest, CountsAllValuesOfSmallTensors) {
  const HistogramTable table = Collect({});
  const TensorHistogram& in = *table.Find(in_);
  EXPECT_EQ(in.elements, 16 * kElements);
  EXPECT_EQ(in.histogram.total(), 16 * kElements);
  // The positive half of a uniform distribution; the other half becomes zeros.
  const TensorHistogram& relu = *table.Find(relu_);
  EXPECT_NEAR(static_cast<double>(relu.histogram.zeros()) / (16 * kElements), 0.5, 0.01);
  uint64_t positive = 0;
  for (size_t bin = math::Histogram::kBins / 2; bin < math::Histogram::kBins; ++bin)
    positive += in.histogram.count(bin);
  EXPECT_NEAR(static_cast<double>(positive), static_cast<double>(16 * kElements - relu.histogram.zeros()),
              kElements * 0.01);
}

TEST_F(CollectHistogramsTest, CountsAPartOfLargeTensorsAndOfManySamples) {
  HistogramOptions options;
  options.values_max = 1024;
  options.samples_max = 4;
  const HistogramTable table = Collect(options);
  EXPECT_EQ(table.Find(in_)->elements, 4 * kElements);
  EXPECT_EQ(table.Find(in_)->histogram.total(), 4 * 1024u);
  const double zeros = static_cast<double>(table.Find(out_)->histogram.zeros());
  EXPECT_NEAR(zeros / (4 * 1024), 0.5, 0.05);
}

TEST_F(CollectHistogramsTest, GivesTheSameCountsForAnyThreadsAndMemory) {
  const HistogramTable expected = Collect({});
  for (int threads : {2, 8}) {
    for (uint64_t memory_bytes : std::vector<uint64_t>{1, uint64_t{1} << 30}) {
      HistogramOptions options;
      options.threads = threads;
      options.memory_bytes = memory_bytes;
      const HistogramTable table = Collect(options);
      for (TensorId id : {in_, relu_, out_}) {
        EXPECT_EQ(table.Find(id)->elements, expected.Find(id)->elements);
        EXPECT_EQ(table.Find(id)->histogram.zeros(), expected.Find(id)->histogram.zeros());
        for (size_t bin = 0; bin < math::Histogram::kBins; ++bin) {
          ASSERT_EQ(table.Find(id)->histogram.count(bin), expected.Find(id)->histogram.count(bin));
        }
      }
    }
  }
}

TEST_F(CollectHistogramsTest, LeavesOutWhatHasOneValueOrWasNotSeen) {
  ActivationStats stats;
  stats.Set(in_, *stats_.Find(in_));
  stats.Set(relu_, {{0.5f, 0.5f}, {}});
  HistogramOptions options;
  options.scratch_dir = dir_.path();
  const auto table = CollectHistograms(model_, {in_, relu_, out_}, stats, *samples_, options);
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_NE(table->Find(in_), nullptr);
  EXPECT_EQ(table->Find(relu_), nullptr);
  EXPECT_EQ(table->Find(out_), nullptr);
}

}  // namespace
}  // namespace lathe

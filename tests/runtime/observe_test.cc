#include "runtime/observe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <set>

#include "runtime/sample_subset.h"
#include "tests/support/model_builder.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace lathe {
namespace {

// "in" is an input and an output; "relu" an intermediate tensor; "out" an output.
struct Small {
  Small() {
    ModelBuilder builder;
    in = builder.Input("in", {1, 2});
    relu = builder.Activation("relu", {1, 2});
    out = builder.Activation("out", {1, 2});
    builder.AddOp(OpKind::kRelu, {in}, {relu});
    builder.AddOp(OpKind::kNeg, {relu}, {out});
    builder.Output(in);
    builder.Output(out);
    model = builder.Build();
  }
  TensorId in, relu, out;
  Model model;
};

class ObserveActivationsTest : public ::testing::Test {
 protected:
  ObserveOptions Options(int threads) const {
    ObserveOptions options;
    options.threads = threads;
    options.scratch_dir = dir_.path();
    return options;
  }
  TempDir dir_;
  Small small_;
  std::unique_ptr<SampleSource> samples_ = *MakeSyntheticSamples(small_.model, {});
};

TEST_F(ObserveActivationsTest, ShowsEachTensorOfEachSampleOnce) {
  for (uint64_t memory_bytes : {uint64_t{1}, uint64_t{1} << 30}) {
    ObserveOptions options = Options(3);
    options.memory_bytes = memory_bytes;
    std::mutex mutex;
    std::map<std::pair<uint32_t, size_t>, float> seen;
    std::map<size_t, float> answers;
    options.after_run = [&](const Sample& sample, const Interpreter& interpreter) {
      const std::lock_guard<std::mutex> lock(mutex);
      const bool first =
          answers.emplace(sample.index, *reinterpret_cast<const float*>(interpreter.Output(1).data())).second;
      EXPECT_TRUE(first);
    };
    const absl::Status status = ObserveActivations(
        small_.model, {small_.in, small_.relu, small_.out}, *samples_, options, [&](int) -> Observer {
          return [&](const Observation& observation) {
            EXPECT_THAT(observation.shape, testing::ElementsAre(1, 2));
            EXPECT_EQ(observation.values.size(), 2u);
            const std::lock_guard<std::mutex> lock(mutex);
            const bool first =
                seen.emplace(std::pair(observation.id.value, observation.sample), observation.values[0]).second;
            EXPECT_TRUE(first);
            return absl::OkStatus();
          };
        });
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(seen.size(), 3 * 16u);
    ASSERT_EQ(answers.size(), 16u);
    for (size_t sample = 0; sample < 16; ++sample) {
      const float value = seen.at({small_.in.value, sample});
      EXPECT_EQ(seen.at({small_.relu.value, sample}), value);  // synthetic samples are not negative
      EXPECT_EQ(seen.at({small_.out.value, sample}), -value);
      EXPECT_EQ(answers.at(sample), -value);
    }
  }
}

TEST_F(ObserveActivationsTest, RunsSomeSamplesForTheirAnswersOnly) {
  for (bool answers : {false, true}) {
    ObserveOptions options = Options(2);
    options.run_only = {0, 7};
    std::mutex mutex;
    std::set<size_t> shown, run;
    if (answers) {
      options.after_run = [&](const Sample& sample, const Interpreter&) {
        const std::lock_guard<std::mutex> lock(mutex);
        run.insert(sample.index);
      };
    }
    const absl::Status status =
        ObserveActivations(small_.model, {small_.in, small_.relu}, *samples_, options, [&](int) -> Observer {
          return [&](const Observation& observation) {
            const std::lock_guard<std::mutex> lock(mutex);
            shown.insert(observation.sample);
            return absl::OkStatus();
          };
        });
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(shown.size(), 14u);
    EXPECT_EQ(shown.count(0) + shown.count(7), 0u);
    EXPECT_EQ(run.size(), answers ? 16u : 0u);
  }
}

// As Keras writes a reshape of a dynamic batch: MobileNetV1 has one before its SOFTMAX.
TEST_F(ObserveActivationsTest, ShowsResultsOfReshapesWhoseShapeIsComputed) {
  ModelBuilder builder;
  const TensorId in = builder.Input("in", {1, 2, 3});
  const TensorId wanted = builder.Activation("wanted", {2}, TensorType::kInt32);
  const TensorId flat = builder.Activation("flat", {1, 6}), out = builder.Activation("out", {1, 6});
  builder.AddOp(
      OpKind::kAdd,
      {builder.Constant("a", {2}, std::vector<int32_t>{0, 2}), builder.Constant("b", {2}, std::vector<int32_t>{1, 4})},
      {wanted}, MakeAddOptions());
  builder.AddOp(OpKind::kReshape, {in, wanted}, {flat});
  builder.AddOp(OpKind::kNeg, {flat}, {out});
  builder.Output(out);
  for (TensorId id : {in, flat, out}) {
    Tensor& tensor = builder.model().subgraphs[0].tensor(id);
    tensor.shape_signature = tensor.shape;
    tensor.shape_signature[0] = -1;
  }
  const Model model = builder.Build();
  const auto samples = *MakeSyntheticSamples(model, {});
  std::map<size_t, float> given, seen;
  const absl::Status status = ObserveActivations(model, {in, flat}, *samples, Options(1), [&](int) -> Observer {
    return [&](const Observation& observation) {
      EXPECT_EQ(observation.values.size(), 6u);
      (observation.id == in ? given : seen)[observation.sample] = observation.values[5];
      return absl::OkStatus();
    };
  });
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(seen.size(), 16u);
  EXPECT_EQ(seen, given);
}

TEST_F(ObserveActivationsTest, ReturnsTheObserversError) {
  const absl::Status status =
      ObserveActivations(small_.model, {small_.relu}, *samples_, Options(1), [](int) -> Observer {
        return [](const Observation& observation) {
          return observation.sample == 3 ? absl::DataLossError("seen enough") : absl::OkStatus();
        };
      });
  EXPECT_EQ(status.message(), "seen enough");
}

TEST_F(ObserveActivationsTest, RefusesAnEmptySource) {
  SampleOptions none;
  none.sample_limit = 1;
  auto one = *MakeSyntheticSamples(small_.model, none);
  const auto empty = *SelectSamples(*one, {}, 0);
  const absl::Status status =
      ObserveActivations(small_.model, {small_.relu}, *empty, Options(1), [](int) -> Observer { return nullptr; });
  EXPECT_EQ(ReasonOf(status), "NO_SAMPLES");
}

}  // namespace
}  // namespace lathe

#include "runtime/data_samples.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "tests/runtime/npz_writer.h"
#include "tests/support/model_builder.h"
#include "tests/support/shared_dir.h"

namespace lathe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<float> Floats(const std::vector<uint8_t>& bytes) {
  std::vector<float> values(bytes.size() / 4);
  memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

// Inputs "image" [1,2,2] and "size" [1,1], added.
Model TwoInputs() {
  ModelBuilder builder;
  const TensorId image = builder.Input("image", {1, 2, 2}), size = builder.Input("size", {1, 1, 1});
  const TensorId sum = builder.Activation("sum", {1, 2, 2});
  builder.AddOp(OpKind::kAdd, {image, size}, {sum}, MakeAddOptions());
  builder.Output(sum);
  return builder.Build();
}

Model OneInput(TensorType type = TensorType::kFloat32) {
  ModelBuilder builder;
  const TensorId image = builder.Input("image", {1, 2, 2}, type);
  const TensorId out = builder.Activation("out", {1, 4}, type);
  const TensorId shape = builder.Constant("shape", {2}, std::vector<int32_t>{1, 4});
  const std::vector<int32_t> new_shape = {1, 4};
  builder.AddOp(OpKind::kReshape, {image, shape}, {out}, MakeReshapeOptions(new_shape));
  builder.Output(out);
  return builder.Build();
}

class DataSamplesTest : public ::testing::Test {
 protected:
  std::string Path() const { return dir_.path() + "/data.npz"; }
  std::string Error(const Model& model, const SampleOptions& options = {}) const {
    const auto samples = DataSamples::Open(model, Path(), options);
    if (samples.ok()) return "";
    EXPECT_EQ(samples.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(samples.status().message()), HasSubstr("data file 'data.npz'"));
    return std::string(samples.status().message());
  }
  // The error of the first sample that has one.
  absl::Status ReadError(const Model& model) const {
    auto samples = DataSamples::Open(model, Path(), {});
    if (!samples.ok()) return samples.status();
    Sample sample;
    while (true) {
      const absl::StatusOr<bool> more = (*samples)->Next(&sample);
      if (!more.ok()) {
        EXPECT_FALSE(*(*samples)->Next(&sample)) << "after an error the source is at its end";
        return more.status();
      }
      if (!*more) return absl::OkStatus();
    }
  }
  TempDir dir_;
};

TEST_F(DataSamplesTest, MatchesByNameStreamsAndRewinds) {
  WriteNpz(Path(), {{"size.npy", Npy("<f4", "(2, 1)", Bytes<float>({10, 20}))},
                    {"image.npy", Npy("<f4", "(2, 2, 2)", Bytes<float>({1, 2, 3, 4, 5, 6, 7, 8}))}});
  auto samples = DataSamples::Open(TwoInputs(), Path(), {});
  ASSERT_TRUE(samples.ok()) << samples.status();
  EXPECT_EQ((*samples)->size(), 2u);
  for (int pass = 0; pass < 2; ++pass) {
    Sample sample;
    ASSERT_TRUE(*(*samples)->Next(&sample));
    ASSERT_TRUE(*(*samples)->Next(&sample));
    EXPECT_EQ(sample.index, 1u);
    EXPECT_THAT(Floats(sample.inputs[0]), ElementsAre(5, 6, 7, 8));
    EXPECT_THAT(Floats(sample.inputs[1]), ElementsAre(20));
    EXPECT_FALSE(*(*samples)->Next(&sample));
    ASSERT_TRUE((*samples)->Rewind().ok());
  }
}

TEST_F(DataSamplesTest, MatchesBySignatureName) {
  Model model = OneInput();
  model.signatures.push_back({"main", SubgraphId(0), {{"picture", model.subgraphs[0].inputs[0]}}, {}});
  WriteNpz(Path(), {{"other.npy", Npy("<f4", "(1, 4)", Bytes<float>({9, 9, 9, 9}))},
                    {"picture.npy", Npy("<f4", "(1, 4)", Bytes<float>({1, 2, 3, 4}))}});
  auto samples = DataSamples::Open(model, Path(), {});
  ASSERT_TRUE(samples.ok()) << samples.status();
  EXPECT_THAT((*samples)->warnings(), ElementsAre(HasSubstr("'other' matches no input")));
}

TEST_F(DataSamplesTest, TakesTheOnlyArrayLeftWhateverItsName) {
  WriteNpz(Path(), {{"x.npy", Npy("<f4", "(1, 4)", Bytes<float>({1, 2, 3, 4}))},
                    {"label.npy", Npy("<i8", "(1,)", Bytes<int64_t>({3}))}});
  auto samples = DataSamples::Open(OneInput(), Path(), {});
  ASSERT_TRUE(samples.ok()) << samples.status();
  EXPECT_THAT((*samples)->warnings(), IsEmpty());
}

TEST_F(DataSamplesTest, ListsTwoUnmatchedArrays) {
  WriteNpz(Path(), {{"x.npy", Npy("<f4", "(1, 4)", Bytes<float>({1, 2, 3, 4}))},
                    {"y.npy", Npy("<f4", "(1, 4)", Bytes<float>({1, 2, 3, 4}))}});
  EXPECT_THAT(Error(OneInput()), HasSubstr("no column for the model's input 'image'; found 'x', 'y'"));
  EXPECT_THAT(Error(TwoInputs()), HasSubstr("'image', 'size'"));
}

TEST_F(DataSamplesTest, SaysWhichShapeWasExpected) {
  WriteNpz(Path(), {{"image.npy", Npy("<f4", "(1, 5)", Bytes<float>({1, 2, 3, 4, 5}))}});
  EXPECT_THAT(Error(OneInput()), HasSubstr("column 'image': expected 4 elements a sample for the model's input "
                                           "'image' of shape [1,2,2], found 5: the array has shape [1,5]"));
  WriteNpz(Path(), {{"image.npy", Npy("<f4", "(0, 4)", "")}});
  EXPECT_THAT(Error(OneInput()), HasSubstr("no samples"));
  WriteNpz(Path(), {{"image.npy", Npy("<f4", "()", Bytes<float>({1}))}});
  EXPECT_THAT(Error(OneInput()), HasSubstr("no samples"));
}

TEST_F(DataSamplesTest, RefusesColumnsOfDifferentLength) {
  WriteNpz(Path(), {{"image.npy", Npy("<f4", "(1, 4)", Bytes<float>({1, 2, 3, 4}))},
                    {"size.npy", Npy("<f4", "(2, 1)", Bytes<float>({1, 2}))}});
  EXPECT_THAT(Error(TwoInputs()), HasSubstr("column 'size': has 2 samples"));
}

TEST_F(DataSamplesTest, NeedsAScaleForIntegers) {
  WriteNpz(Path(), {{"image.npy", Npy("|u1", "(1, 4)", Bytes<uint8_t>({0, 51, 102, 255}))}});
  EXPECT_THAT(Error(OneInput()), testing::AllOf(HasSubstr("column 'image'"), HasSubstr("uint8"), HasSubstr("--scale"),
                                                HasSubstr("--mean")));
  EXPECT_EQ(ReasonOf(DataSamples::Open(OneInput(), Path(), {}).status()), "DATA_NEEDS_SCALE");
  SampleOptions options;
  options.preprocessing.scale = 1.0 / 51;
  options.preprocessing.mean = 51;
  auto samples = DataSamples::Open(OneInput(), Path(), options);
  ASSERT_TRUE(samples.ok()) << samples.status();
  Sample sample;
  ASSERT_TRUE(*(*samples)->Next(&sample));
  EXPECT_THAT(Floats(sample.inputs[0]), ElementsAre(-1, 0, 1, 4));
}

TEST_F(DataSamplesTest, NamesWhereANumberIsNotFinite) {
  for (float wrong : {std::nanf(""), INFINITY}) {
    WriteNpz(Path(), {{"image.npy", Npy("<f4", "(2, 4)", Bytes<float>({1, 2, 3, 4, 5, 6, wrong, 8}))}});
    const absl::Status status = ReadError(OneInput());
    EXPECT_EQ(ReasonOf(status), "DATA_INVALID");
    EXPECT_THAT(std::string(status.message()),
                testing::AllOf(HasSubstr("'data.npz', column 'image', sample 1: element 2 is "), HasSubstr("finite")));
  }
}

TEST_F(DataSamplesTest, RefusesFloatsForAnIntegerInput) {
  WriteNpz(Path(), {{"image.npy", Npy("<f4", "(1, 4)", Bytes<float>({1, 2, 3, 4}))}});
  EXPECT_THAT(Error(OneInput(TensorType::kInt32)),
              HasSubstr("expected integers for the model's INT32 input, found float32"));
}

TEST_F(DataSamplesTest, RefusesIntegersThatDoNotFit) {
  WriteNpz(Path(), {{"image.npy", Npy("<i8", "(1, 4)", Bytes<int64_t>({1, 2, int64_t{1} << 40, 4}))}});
  EXPECT_THAT(std::string(ReadError(OneInput(TensorType::kInt32)).message()), HasSubstr("element 2 is 1099511627776"));
}

TEST_F(DataSamplesTest, FillsAFixedBatchWithOneSample) {
  ModelBuilder builder;
  const TensorId in = builder.Input("x", {2, 3});
  const TensorId out = builder.Activation("out", {2, 3});
  builder.AddOp(OpKind::kRelu, {in}, {out});
  builder.Output(out);
  WriteNpz(Path(), {{"x.npy", Npy("<f4", "(1, 3)", Bytes<float>({1, 2, 3}))}});
  auto samples = DataSamples::Open(builder.Build(), Path(), {});
  ASSERT_TRUE(samples.ok()) << samples.status();
  Sample sample;
  ASSERT_TRUE(*(*samples)->Next(&sample));
  EXPECT_THAT(Floats(sample.inputs[0]), ElementsAre(1, 2, 3, 1, 2, 3));
}

TEST_F(DataSamplesTest, StopsAtTheLimit) {
  WriteNpz(Path(), {{"image.npy", Npy("<f4", "(3, 4)", std::string(48, '\0'))}});
  SampleOptions options;
  options.sample_limit = 2;
  auto samples = DataSamples::Open(OneInput(), Path(), options);
  ASSERT_TRUE(samples.ok()) << samples.status();
  EXPECT_EQ((*samples)->size(), 2u);
}

TEST_F(DataSamplesTest, DrawsSamplesByTheSeedInTheFilesOrder) {
  std::vector<float> values;
  for (int i = 0; i < 400; ++i) values.push_back(static_cast<float>(i / 4));
  WriteNpz(Path(), {{"image.npy", Npy("<f4", "(100, 4)", Bytes(values))}});
  const auto draw = [&](uint64_t seed) {
    SampleOptions options;
    options.sample_limit = 5;
    options.seed = seed;
    auto samples = DataSamples::Open(OneInput(), Path(), options);
    EXPECT_TRUE(samples.ok()) << samples.status();
    std::vector<float> drawn;
    Sample sample;
    while (*(*samples)->Next(&sample)) {
      EXPECT_EQ(sample.index, drawn.size());
      drawn.push_back(Floats(sample.inputs[0])[0]);
    }
    return drawn;
  };
  const std::vector<float> first = draw(1);
  EXPECT_EQ(first.size(), 5u);
  EXPECT_TRUE(std::is_sorted(first.begin(), first.end()));
  EXPECT_GT(first.back(), 20) << "not only from the front";
  EXPECT_EQ(first, draw(1));
  EXPECT_NE(first, draw(2));
}

TEST_F(DataSamplesTest, GivesTheLabelsOfEachSample) {
  WriteNpz(Path(), {{"image.npy", Npy("<f4", "(2, 4)", std::string(32, '\0'))},
                    {"labels.npy", Npy("<i4", "(2, 3)", Bytes<int32_t>({1, 2, 3, 4, 5, 6}))}});
  SampleOptions options;
  options.labels = SampleOptions::Labels::kRequired;
  auto samples = DataSamples::Open(OneInput(), Path(), options);
  ASSERT_TRUE(samples.ok()) << samples.status();
  ASSERT_TRUE((*samples)->labels().has_value());
  EXPECT_EQ((*samples)->labels()->name, "labels");
  EXPECT_EQ((*samples)->labels()->type, NpyType::kInt32);
  EXPECT_THAT((*samples)->labels()->shape, ElementsAre(3));
  Sample sample;
  ASSERT_TRUE(*(*samples)->Next(&sample));
  ASSERT_TRUE(*(*samples)->Next(&sample));
  EXPECT_EQ(sample.label.size(), (*samples)->labels()->size_bytes);
  EXPECT_EQ(NumberAt(NpyType::kInt32, sample.label, 2), 6);
}

TEST_F(DataSamplesTest, SaysThatLabelsAreMissing) {
  WriteNpz(Path(), {{"image.npy", Npy("<f4", "(2, 4)", std::string(32, '\0'))}});
  SampleOptions options;
  options.labels = SampleOptions::Labels::kIfPresent;
  auto samples = DataSamples::Open(OneInput(), Path(), options);
  ASSERT_TRUE(samples.ok()) << samples.status();
  EXPECT_FALSE((*samples)->labels().has_value());
  options.labels = SampleOptions::Labels::kRequired;
  const auto missing = DataSamples::Open(OneInput(), Path(), options);
  EXPECT_EQ(ReasonOf(missing.status()), "DATA_NO_LABELS");
  EXPECT_THAT(std::string(missing.status().message()), HasSubstr("'data.npz' has no column 'label' or 'labels'"));
}

TEST_F(DataSamplesTest, RefusesAnotherCountOfLabels) {
  WriteNpz(Path(), {{"image.npy", Npy("<f4", "(2, 4)", std::string(32, '\0'))},
                    {"label.npy", Npy("<i8", "(3,)", Bytes<int64_t>({1, 2, 3}))}});
  SampleOptions options;
  options.labels = SampleOptions::Labels::kIfPresent;
  EXPECT_THAT(Error(OneInput(), options), HasSubstr("column 'label': has 3 labels for 2 samples"));
}

TEST_F(DataSamplesTest, ReadsSharedDataSets) {
  LATHE_SKIP_WITHOUT_SHARED();
  ModelBuilder builder;
  const TensorId in = builder.Input("serving_default_image:0", {1, 28, 28, 1});
  const TensorId out = builder.Activation("out", {1, 28, 28, 1});
  builder.AddOp(OpKind::kRelu, {in}, {out});
  builder.Output(out);
  SampleOptions options;
  options.preprocessing.scale = 1.0 / 255;
  auto samples = DataSamples::Open(builder.Build(), SharedDir() + "/data/fashion/calib.npz", options);
  ASSERT_TRUE(samples.ok()) << samples.status();
  size_t count = 0;
  Sample sample;
  while (true) {
    const auto more = (*samples)->Next(&sample);
    ASSERT_TRUE(more.ok()) << more.status();
    if (!*more) break;
    ++count;
  }
  EXPECT_EQ(count, 500u);
}

}  // namespace
}  // namespace lathe

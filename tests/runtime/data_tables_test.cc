// Samples out of tables: what runtime/data_samples.h says of names, shapes and images, with Parquet and Arrow files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "runtime/data_samples.h"
#include "tests/runtime/arrow_writer.h"
#include "tests/runtime/image_writer.h"
#include "tests/runtime/npz_writer.h"
#include "tests/support/model_builder.h"
#include "tests/support/temp_dir.h"

namespace lathe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class DataTablesTest : public ::testing::Test {
 protected:
  std::string Path() const { return dir_.path() + "/data.parquet"; }
  void Write(const ArrowColumns& columns) const { WriteArrow(Path(), ArrowFormat::kParquet, columns); }

  absl::StatusOr<std::vector<std::vector<float>>> Read(const Model& model, const SampleOptions& options = {}) {
    LATHE_ASSIGN_OR_RETURN(source_, DataSamples::Open(model, Path(), options));
    std::vector<std::vector<float>> samples;
    Sample sample;
    while (true) {
      LATHE_ASSIGN_OR_RETURN(const bool more, source_->Next(&sample));
      if (!more) return samples;
      std::vector<float>& values = samples.emplace_back(sample.inputs[0].size() / 4);
      memcpy(values.data(), sample.inputs[0].data(), sample.inputs[0].size());
    }
  }
  std::string Error(const Model& model, const SampleOptions& options = {}) {
    const auto samples = Read(model, options);
    EXPECT_EQ(ReasonOf(samples.status()), "DATA_INVALID");
    return std::string(samples.status().message());
  }

  TempDir dir_;
  std::unique_ptr<SampleSource> source_;
};

Model OneInput(const std::vector<int32_t>& shape, TensorType type = TensorType::kFloat32) {
  ModelBuilder builder;
  const TensorId in = builder.Input("image", shape, type);
  const TensorId out = builder.Activation("out", shape, type);
  builder.AddOp(OpKind::kRelu, {in}, {out});
  builder.Output(out);
  return builder.Build();
}

TEST_F(DataTablesTest, TakesTheColumnOfTheInputsName) {
  Write({{"id", ArrowArray(arrow::int64(), "[5, 6]")},
         {"image", ArrowArray(arrow::list(arrow::float32()), "[[1, 2], [3, 4]]")},
         {"title", ArrowArray(arrow::utf8(), R"(["a", "b"])")}});
  const auto samples = Read(OneInput({1, 2}));
  ASSERT_TRUE(samples.ok()) << samples.status();
  EXPECT_THAT(*samples, ElementsAre(ElementsAre(1, 2), ElementsAre(3, 4)));
  EXPECT_THAT(source_->warnings(),
              ElementsAre(HasSubstr("column 'id' matches no input"), HasSubstr("column 'title' matches no input")));
}

TEST_F(DataTablesTest, TakesTheOnlyColumnOfNumbersThatIsLeft) {
  Write({{"pixels", ArrowArray(arrow::list(arrow::float32()), "[[1, 2], [3, 4]]")},
         {"label", ArrowArray(arrow::int64(), "[0, 1]")},
         {"title", ArrowArray(arrow::utf8(), R"(["a", "b"])")}});
  SampleOptions options;
  options.labels = SampleOptions::Labels::kRequired;
  const auto samples = Read(OneInput({1, 2}), options);
  ASSERT_TRUE(samples.ok()) << samples.status();
  EXPECT_EQ(samples->size(), 2u);
  EXPECT_EQ(source_->labels()->type, NpyType::kInt64);
}

TEST_F(DataTablesTest, NamesWhatItFoundWhenNothingFits) {
  Write({{"title", ArrowArray(arrow::utf8(), R"(["a", "b"])")}});
  EXPECT_THAT(Error(OneInput({1, 2})), HasSubstr("no column for the model's input 'image'; found 'title' (expected "
                                                 "numbers, lists of numbers or encoded images, found string)"));
  Write({{"image", ArrowArray(arrow::utf8(), R"(["a", "b"])")}});
  EXPECT_THAT(Error(OneInput({1, 2})), HasSubstr("column 'image': expected numbers"));
}

TEST_F(DataTablesTest, SaysWhichSampleIsWrong) {
  Write({{"image", ArrowArray(arrow::list(arrow::float32()), "[[1, 2], [3]]")}});
  EXPECT_THAT(Error(OneInput({1, 2})), HasSubstr("data file 'data.parquet', column 'image', sample 1: a list has 1"));
  Write({{"image", ArrowArray(arrow::list(arrow::float32()), "[[1, 2], [3, NaN]]")}});
  EXPECT_THAT(Error(OneInput({1, 2})), HasSubstr("column 'image', sample 1: element 1 is NaN"));
  Write({{"image", ArrowArray(arrow::list(arrow::float32()), "[[1, 2], [3, Inf]]")}});
  EXPECT_THAT(Error(OneInput({1, 2})), HasSubstr("column 'image', sample 1: element 1 is infinite"));
  Write({{"image", ArrowArray(arrow::list(arrow::float32()), "[[1, 2, 3]]")}});
  EXPECT_THAT(Error(OneInput({1, 2})), HasSubstr("expected 2 elements a sample"));
  Write({{"image", ArrowArray(arrow::float32(), "[]")}});
  EXPECT_THAT(Error(OneInput({1, 2})), HasSubstr("has shape [0] and so no samples"));
}

TEST_F(DataTablesTest, DecodesImages) {
  Write({{"image", ArrowImageStructs({EncodePng(PlainImage(2, 2, {9})), EncodePng(PlainImage(2, 2, {0}))})}});
  SampleOptions options;
  options.preprocessing.scale = 0.5;
  options.preprocessing.mean = 1;
  const auto samples = Read(OneInput({1, 2, 2, 1}), options);
  ASSERT_TRUE(samples.ok()) << samples.status();
  EXPECT_THAT(*samples, ElementsAre(ElementsAre(4, 4, 4, 4), ElementsAre(-0.5f, -0.5f, -0.5f, -0.5f)));
  Write({{"image", ArrowBinary({"no image"})}});
  EXPECT_THAT(Error(OneInput({1, 2, 2, 1}), options),
              HasSubstr("column 'image', sample 0: expected a PNG or JPEG image"));
}

TEST_F(DataTablesTest, RefusesToChangeImagesWhereThereAreNone) {
  ModelBuilder builder;
  const TensorId a = builder.Input("a", {1, 2}), b = builder.Input("b", {1, 2});
  const TensorId sum = builder.Activation("sum", {1, 2});
  builder.AddOp(OpKind::kAdd, {a, b}, {sum}, MakeAddOptions());
  builder.Output(sum);
  Write({{"a", ArrowRows({1, 2}, 1)}, {"b", ArrowRows({1, 2}, 1)}});
  SampleOptions options;
  options.preprocessing.crop = ImageCrop{1, 1};
  EXPECT_THAT(Error(builder.Build(), options), HasSubstr("no input of the model takes an image"));
}

TEST_F(DataTablesTest, RefusesIndicesOutsideTheTable) {
  ModelBuilder builder;
  const TensorId in = builder.Input("image", {1, 2}, TensorType::kInt32);
  const TensorId table = builder.Constant("table", {3, 1}, std::vector<float>{1, 2, 3});
  const TensorId out = builder.Activation("out", {1, 2, 1});
  builder.AddOp(OpKind::kGather, {table, in}, {out}, MakeGatherOptions(0));
  builder.Output(out);
  Write({{"image", ArrowArray(arrow::list(arrow::int64()), "[[0, 2], [1, 3]]")}});
  EXPECT_THAT(Error(builder.Build()), HasSubstr("sample 1: holds 3, but the model looks it up in a table of 3 rows"));
}

TEST_F(DataTablesTest, WarnsOfValuesAfterReading) {
  Write({{"image", ArrowRows({7, 7}, 3)}});
  ASSERT_TRUE(Read(OneInput({1, 2})).ok());
  EXPECT_THAT(source_->FindValueWarnings(), ElementsAre(HasSubstr("holds nothing but 7 in all 3 samples"),
                                                        HasSubstr("2 of 3 samples are the same as an earlier one")));
}

}  // namespace
}  // namespace lathe

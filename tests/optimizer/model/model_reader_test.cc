#include "optimizer/model/model_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <fstream>

#include "optimizer/model/model_writer.h"
#include "tests/support/model_builder.h"
#include "tests/support/shared_dir.h"

namespace lathe {
namespace {

using ::testing::HasSubstr;

absl::Span<const uint8_t> AsBytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string SmallFile() {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 8, 8, 3});
  builder.Output(builder.Conv2d(x, 4, 3, 1));
  return *SerializeModel(builder.Build());
}

std::string MessageFor(const std::string& bytes) {
  const auto model = ReadModelFromBytes(AsBytes(bytes));
  EXPECT_EQ(model.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(model.status()), "MODEL_CORRUPT");
  return std::string(model.status().message());
}

TEST(ModelReaderTest, ForeignFilesAreNamed) {
  EXPECT_THAT(MessageFor(""), HasSubstr("the file is empty"));
  EXPECT_THAT(MessageFor(std::string("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16)),
              HasSubstr("not a LiteRT model: the file (16 bytes) is a PNG image; a .tflite file is expected"));
  EXPECT_THAT(MessageFor("PK\x03\x04 and more"), HasSubstr("a ZIP archive"));
  EXPECT_THAT(MessageFor("\x01\x02\x03\x04\x05\x06\x07\x08\x09"), HasSubstr("the bytes 01 02 03 04 05 06 07 08"));
  EXPECT_THAT(MessageFor("\x1c"), HasSubstr("cut short"));
}

TEST(ModelReaderTest, TruncatedFileIsSaidToBeCutShort) {
  const std::string file = SmallFile();
  EXPECT_THAT(MessageFor(file.substr(0, file.size() / 2)), HasSubstr("cut short or damaged"));
}

TEST(ModelReaderTest, AbsentFileIsNotFound) {
  EXPECT_EQ(MappedFile::Open("/nonexistent/model.tflite").status().code(), absl::StatusCode::kNotFound);
}

TEST(ModelReaderTest, WeightsStayInTheMapping) {
  TempDir dir;
  const std::string path = dir.path() + "/model.tflite";
  std::ofstream(path, std::ios::binary) << SmallFile();
  const auto file = MappedFile::Open(path);
  ASSERT_TRUE(file.ok());
  const auto model = ReadModel(*file);
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->backing, *file);
  const auto bytes = model->buffers[1].bytes();
  EXPECT_GE(bytes.data(), (*file)->bytes().data());
  EXPECT_LE(bytes.data() + bytes.size(), (*file)->bytes().data() + (*file)->bytes().size());
}

TEST(ModelReaderTest, OldOperatorCodesAndNewOnesReadTheSame) {
  LATHE_SKIP_WITHOUT_SHARED();
  // A model from before 2020: builtin_code is absent.
  const auto old = ReadModel(*MappedFile::Open(SharedDir() + "/models/mlperf_tiny_resnet8_cifar10.tflite"));
  ASSERT_TRUE(old.ok()) << old.status();
  EXPECT_EQ(old->subgraphs[0].ops[0].kind, OpKind::kConv2d);
}

TEST(ModelReaderTest, ConstantsAreAligned) {
  LATHE_SKIP_WITHOUT_SHARED();
  for (const std::string& path : SharedModels()) {
    const auto model = ReadModel(*MappedFile::Open(path));
    ASSERT_TRUE(model.ok()) << path << model.status();
    for (const Tensor& tensor : model->subgraphs[0].tensors) {
      if (!model->IsConstant(tensor)) continue;
      const auto address = reinterpret_cast<uintptr_t>(model->buffer(tensor.buffer).bytes().data());
      EXPECT_EQ(address % static_cast<uintptr_t>(std::max(TypeBits(tensor.type) / 8, 1)), 0U);
    }
  }
}

TEST(ModelReaderTest, ReadsLargeModelsFast) {
  LATHE_SKIP_WITHOUT_SHARED();
  const std::string path = SharedDir() + "/models/mobilenet_v2_1.0_224_random.tflite";
  const auto start = std::chrono::steady_clock::now();
  ASSERT_TRUE(ReadModel(*MappedFile::Open(path)).ok());
  const auto elapsed = std::chrono::steady_clock::now() - start;
  RecordProperty("read_us", static_cast<int>(std::chrono::duration_cast<std::chrono::microseconds>(elapsed).count()));
  EXPECT_LT(elapsed, std::chrono::seconds(1));  // 2 ms on a desktop core; the bound only catches copying by accident
}

}  // namespace
}  // namespace lathe

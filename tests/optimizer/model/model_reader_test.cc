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

std::string ReasonFor(const Model& model) {
  return ReasonOf(ReadModelFromBytes(AsBytes(*SerializeModel(model))).status());
}

TEST(ModelReaderTest, WhatIsNewerThanThisBuildIsUnsupported) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {4});
  const TensorId y = builder.Activation("y", {4});
  builder.AddOp(OpKind::kRelu, {x}, {y});
  builder.Output(y);
  Model model = builder.Build();
  model.subgraphs[0].ops[0].kind = static_cast<OpKind>(4000);
  EXPECT_EQ(ReasonFor(model), "MODEL_UNSUPPORTED");
  model.subgraphs[0].ops[0].kind = OpKind::kRelu;
  model.subgraphs[0].tensors[0].type = static_cast<TensorType>(99);
  EXPECT_EQ(ReasonFor(model), "MODEL_UNSUPPORTED");
}

uint32_t WordAt(const std::string& bytes, size_t place) {
  uint32_t word = 0;
  std::memcpy(&word, bytes.data() + place, sizeof(word));
  return word;
}

// Parts of a flatbuffer may be shared: here 300 operators are made to point at one megabyte of options.
TEST(ModelReaderTest, RefusesAFileThatUnpacksToFarMoreThanItsSize) {
  constexpr int kOps = 300;
  constexpr uint8_t kMark = 0xA5;
  ModelBuilder builder;
  TensorId last = builder.Input("x", {4});
  for (int i = 0; i < kOps; ++i) {
    const TensorId next = builder.Activation("", {4});
    OpOptions options;
    options.custom.assign(i == 0 ? 1 << 20 : 8, kMark);
    builder.AddOp(OpKind::kCustom, {last}, {next}, options);
    last = next;
  }
  builder.Output(last);
  std::string file = *SerializeModel(builder.Build());
  ASSERT_TRUE(ReadModelFromBytes(AsBytes(file)).ok());

  size_t big = 0;
  for (size_t place = 0; place + 8 < file.size(); place += 4) {
    if (WordAt(file, place) == 1 << 20 && file[place + 4] == static_cast<char>(kMark)) big = place;
  }
  ASSERT_NE(big, 0U);
  int patched = 0;
  for (size_t place = 0; place < big; place += 4) {
    const size_t target = place + WordAt(file, place);
    if (target + 12 > file.size() || WordAt(file, target) != 8 || WordAt(file, target + 4) != 0xA5A5A5A5) continue;
    const auto distance = static_cast<uint32_t>(big - place);
    std::memcpy(file.data() + place, &distance, sizeof(distance));
    ++patched;
  }
  EXPECT_GE(patched, kOps - 1);  // a few other numbers happen to look like references
  EXPECT_THAT(MessageFor(file), HasSubstr("made to exhaust memory"));
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

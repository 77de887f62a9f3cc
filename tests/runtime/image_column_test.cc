#include "runtime/image_column.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "tests/runtime/image_writer.h"

namespace lathe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TensorInfo Input(const std::vector<int32_t>& shape, TensorType type = TensorType::kFloat32) {
  TensorInfo info;
  info.name = "image";
  info.type = type;
  info.shape = shape;
  info.elements = 1;
  for (int32_t dimension : shape) info.elements *= dimension;
  info.size_bytes = static_cast<size_t>(info.elements) * (type == TensorType::kFloat32 ? 4 : 1);
  return info;
}

DataColumn Encoded() {
  DataColumn column;
  column.name = "image";
  column.encoded = true;
  column.shape = {1};
  return column;
}

absl::StatusOr<std::vector<float>> Convert(const DataColumn& column, const TensorInfo& input,
                                           const Preprocessing& preprocessing, const std::string& value) {
  LATHE_ASSIGN_OR_RETURN(const auto scaling, MakeIntegerScaling(preprocessing, input));
  LATHE_ASSIGN_OR_RETURN(const ImageColumn images, ImageColumn::Make(column, input, preprocessing, scaling));
  std::vector<uint8_t> out(images.size_bytes());
  LATHE_RETURN_IF_ERROR(images.Convert(
      absl::MakeConstSpan(reinterpret_cast<const uint8_t*>(value.data()), value.size()), absl::MakeSpan(out)));
  if (input.type == TensorType::kUint8) return std::vector<float>(out.begin(), out.end());
  std::vector<float> values(out.size() / 4);
  memcpy(values.data(), out.data(), out.size());
  return values;
}

Preprocessing Scaled(double scale = 1) {
  Preprocessing preprocessing;
  preprocessing.scale = scale;
  return preprocessing;
}

const std::string kPixel = EncodePng(PlainImage(1, 1, {10, 20, 30}));

TEST(ImageColumnTest, FindsImagesInShapes) {
  EXPECT_EQ(FindImageLayout(Input({1, 5, 7, 3}))->width, 7u);
  EXPECT_TRUE(FindImageLayout(Input({1, 3, 5, 7}))->planar);
  EXPECT_EQ(FindImageLayout(Input({1, 5, 7}))->channels, 1u);
  EXPECT_EQ(FindImageLayout(Input({5, 7, 3}))->height, 5u);
  EXPECT_FALSE(FindImageLayout(Input({1, 5, 7, 2})).has_value());
  EXPECT_FALSE(FindImageLayout(Input({1, 784})).has_value());
}

TEST(ImageColumnTest, ScalesEachChannel) {
  Preprocessing preprocessing;
  preprocessing.channel_mean = {10, 10, 10};
  preprocessing.channel_scale = {1, 2, 0.5};
  EXPECT_THAT(*Convert(Encoded(), Input({1, 1, 1, 3}), preprocessing, kPixel), ElementsAre(0, 20, 10));
}

TEST(ImageColumnTest, OrdersChannelsAsTheInput) {
  Preprocessing preprocessing = Scaled();
  preprocessing.channels = Preprocessing::Channels::kBgr;
  EXPECT_THAT(*Convert(Encoded(), Input({1, 1, 1, 3}), preprocessing, kPixel), ElementsAre(30, 20, 10));
  preprocessing.channels = Preprocessing::Channels::kGray;
  EXPECT_THAT(*Convert(Encoded(), Input({1, 1, 1, 3}), preprocessing, kPixel), ElementsAre(18, 18, 18));
  EXPECT_THAT(*Convert(Encoded(), Input({1, 1, 1, 1}), Scaled(), kPixel), ElementsAre(18));
  const std::string two = EncodePng({1, 2, 3, {1, 2, 3, 4, 5, 6}});
  EXPECT_THAT(*Convert(Encoded(), Input({1, 3, 1, 2}), Scaled(), two), ElementsAre(1, 4, 2, 5, 3, 6));
}

TEST(ImageColumnTest, KeepsPixelsForIntegerInputs) {
  EXPECT_THAT(*Convert(Encoded(), Input({1, 1, 1, 3}, TensorType::kUint8), {}, kPixel), ElementsAre(10, 20, 30));
  Preprocessing preprocessing;
  preprocessing.resize = ImageResize{1, 1, 0, ImageResize::Method::kArea};
  const std::string two = EncodePng({1, 2, 1, {1, 4}});
  EXPECT_THAT(*Convert(Encoded(), Input({1, 1, 1, 1}, TensorType::kUint8), preprocessing, two), ElementsAre(2));
}

TEST(ImageColumnTest, ResizesAndCrops) {
  Preprocessing preprocessing = Scaled(0.5);
  preprocessing.resize = ImageResize{0, 0, 4, std::nullopt};
  preprocessing.crop = ImageCrop{2, 3};
  EXPECT_THAT(*Convert(Encoded(), Input({1, 2, 3, 1}), preprocessing, EncodePng(PlainImage(20, 10, {50}))),
              ElementsAre(25, 25, 25, 25, 25, 25));
}

TEST(ImageColumnTest, ChangesArraysOfPixels) {
  DataColumn column;
  column.type = NpyType::kUint8;
  column.shape = {1, 1, 4};
  Preprocessing preprocessing = Scaled();
  preprocessing.resize = ImageResize{1, 2, 0, ImageResize::Method::kArea};
  EXPECT_THAT(*Convert(column, Input({1, 1, 2, 1}), preprocessing, std::string("\x02\x04\x06\x0a", 4)),
              ElementsAre(3, 8));
}

std::string Error(const DataColumn& column, const TensorInfo& input, const Preprocessing& preprocessing,
                  const std::string& reason = "DATA_INVALID") {
  const auto values = Convert(column, input, preprocessing, kPixel);
  EXPECT_EQ(ReasonOf(values.status()), reason);
  return std::string(values.status().message());
}

TEST(ImageColumnTest, SaysWhatDoesNotFit) {
  EXPECT_THAT(Error(Encoded(), Input({1, 784}), Scaled()), HasSubstr("[1,784], which is none of an image"));
  EXPECT_THAT(Error(Encoded(), Input({1, 2, 2, 3}), Scaled()),
              HasSubstr("1 pixels high and 1 wide, the model takes 2 x 2: say how to fit it"));
  EXPECT_THAT(Error(Encoded(), Input({1, 1, 1, 3}), {}, "DATA_NEEDS_SCALE"), HasSubstr("--scale"));
  Preprocessing preprocessing = Scaled();
  preprocessing.channels = Preprocessing::Channels::kRgb;
  EXPECT_THAT(Error(Encoded(), Input({1, 1, 1, 1}), preprocessing), HasSubstr("has one channel"));
  preprocessing = {};
  preprocessing.channel_mean = {1, 2};
  EXPECT_THAT(Error(Encoded(), Input({1, 1, 1, 3}), preprocessing), HasSubstr("has 2 numbers"));
  DataColumn floats;
  floats.shape = {1, 4};
  preprocessing.crop = ImageCrop{1, 1};
  preprocessing.channel_mean = {};
  EXPECT_THAT(Error(floats, Input({1, 1, 1, 3}), preprocessing), HasSubstr("found float32 of shape [1,4]"));
}

}  // namespace
}  // namespace lathe

#include "runtime/image_resize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/runtime/image_writer.h"

namespace lathe {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatEq;
using ::testing::FloatNear;
using ::testing::HasSubstr;
using ::testing::Pointwise;

using Method = ImageResize::Method;

Image Row(const std::vector<uint8_t>& values) { return {1, static_cast<uint32_t>(values.size()), 1, values}; }

std::vector<float> ResizeRow(const std::vector<uint8_t>& values, uint32_t width, Method method) {
  return ResizeImage(Row(values), {1, width}, method).pixels;
}

TEST(ImageResizeTest, BilinearTakesHalfPixelCentres) {
  // As tf.image.resize(method="bilinear").
  EXPECT_THAT(ResizeRow({0, 100, 200, 40}, 2, Method::kBilinear), ElementsAre(FloatEq(50), FloatEq(120)));
  EXPECT_THAT(ResizeRow({0, 100}, 4, Method::kBilinear),
              ElementsAre(FloatEq(0), FloatEq(25), FloatEq(75), FloatEq(100)));
}

TEST(ImageResizeTest, AreaIsTheMeanOfWhatIsCovered) {
  EXPECT_THAT(ResizeRow({0, 100, 200, 40}, 2, Method::kArea), ElementsAre(FloatEq(50), FloatEq(120)));
  // Three pixels to two: 1.5 pixels each.
  EXPECT_THAT(ResizeRow({0, 90, 30}, 2, Method::kArea), ElementsAre(FloatEq(30), FloatEq(50)));
}

TEST(ImageResizeTest, AntialiasWeighsATriangle) {
  // Four to two: a triangle of reach 2 around 0.5, i.e. weights 3, 3, 1 over 7 at the edge.
  EXPECT_THAT(ResizeRow({70, 0, 0, 0}, 2, Method::kAntialias), ElementsAre(FloatNear(30, 1e-4f), FloatEq(0)));
  EXPECT_THAT(ResizeRow({0, 0, 70, 0}, 2, Method::kAntialias), ElementsAre(FloatNear(10, 1e-4f), FloatNear(30, 1e-4f)));
}

TEST(ImageResizeTest, KeepsAnImageOfTheSameSize) {
  Image image = PlainImage(5, 7, {0, 0, 0});
  for (size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = static_cast<uint8_t>(i);
  for (Method method : {Method::kBilinear, Method::kArea, Method::kAntialias}) {
    const std::vector<float> expected(image.pixels.begin(), image.pixels.end());
    EXPECT_THAT(ResizeImage(image, {5, 7}, method).pixels, Pointwise(FloatEq(), expected));
  }
}

TEST(ImageResizeTest, KeepsProportionsByTheShorterSide) {
  ImageResize resize;
  resize.shorter_side = 256;
  EXPECT_EQ(ResizedSize({480, 640}, resize).width, 341u);
  EXPECT_EQ(ResizedSize({480, 640}, resize).height, 256u);
  EXPECT_EQ(ResizedSize({8192, 1}, resize).width, 256u);
  EXPECT_EQ(ResizedSize({640, 480}, resize).height, 341u);
}

TEST(ImageResizeTest, CropsTheMiddle) {
  const auto cropped = CropMiddle(Image{3, 4, 1, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}}, {1, 2});
  ASSERT_TRUE(cropped.ok()) << cropped.status();
  EXPECT_THAT(cropped->pixels, ElementsAre(5, 6));
  const auto larger = CropMiddle(PlainImage(3, 4, {0}), {4, 4});
  EXPECT_EQ(ReasonOf(larger.status()), "DATA_INVALID");
  EXPECT_THAT(std::string(larger.status().message()), HasSubstr("smaller than the crop of 4 x 4"));
}

}  // namespace
}  // namespace lathe

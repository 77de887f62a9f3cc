#include "runtime/image_decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/runtime/image_writer.h"

namespace lathe {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

absl::StatusOr<Image> Decode(const std::string& file, uint32_t channels) {
  return DecodeImage(absl::MakeConstSpan(reinterpret_cast<const uint8_t*>(file.data()), file.size()), channels);
}

std::string Error(const std::string& file) {
  const auto image = Decode(file, 3);
  EXPECT_EQ(ReasonOf(image.status()), "DATA_INVALID");
  return std::string(image.status().message());
}

std::string Pixel() { return EncodePng(PlainImage(1, 1, {10, 20, 30})); }

TEST(ImageDecoderTest, ReadsPngExactly) {
  Image image = PlainImage(3, 2, {10, 20, 30});
  image.pixels[4] = 200;
  const auto decoded = Decode(EncodePng(image), 3);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->height, 3u);
  EXPECT_EQ(decoded->width, 2u);
  EXPECT_EQ(decoded->pixels, image.pixels);
}

TEST(ImageDecoderTest, ReadsJpegClosely) {
  const auto decoded = Decode(EncodeJpeg(PlainImage(16, 24, {10, 120, 230})), 3);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->width, 24u);
  for (size_t i = 0; i < decoded->pixels.size(); i += 3) {
    EXPECT_NEAR(decoded->pixels[i], 10, 2);
    EXPECT_NEAR(decoded->pixels[i + 1], 120, 2);
    EXPECT_NEAR(decoded->pixels[i + 2], 230, 2);
  }
}

TEST(ImageDecoderTest, TurnsColoursToGrayAndBack) {
  EXPECT_THAT(Decode(Pixel(), 1)->pixels, ElementsAre(18));  // 0.299 * 10 + 0.587 * 20 + 0.114 * 30 = 18.15
  EXPECT_THAT(Decode(EncodePng(PlainImage(1, 1, {77})), 3)->pixels, ElementsAre(77, 77, 77));
  EXPECT_THAT(Decode(EncodeJpeg(PlainImage(8, 8, {77})), 3)->pixels, Each(77));
  EXPECT_NEAR(Decode(EncodeJpeg(PlainImage(8, 8, {10, 20, 30})), 1)->pixels[0], 18, 1);
}

TEST(ImageDecoderTest, DropsAlpha) {
  EXPECT_THAT(Decode(EncodePng(PlainImage(1, 1, {10, 20, 30, 0})), 3)->pixels, ElementsAre(10, 20, 30));
}

TEST(ImageDecoderTest, SaysWhatIsNoImage) {
  EXPECT_THAT(Error(""), HasSubstr("expected a PNG or JPEG image, found no bytes"));
  EXPECT_THAT(Error("GIF89a"), HasSubstr("found a GIF image"));
  EXPECT_THAT(Error("hello"), HasSubstr("found something that begins with the bytes 68 65"));
}

TEST(ImageDecoderTest, RefusesDamagedAndCutFiles) {
  const std::string png = EncodePng(PlainImage(64, 64, {1, 2, 3}));
  EXPECT_THAT(Error(png.substr(0, png.size() / 2)), HasSubstr("the PNG image is damaged"));
  std::string flipped = png;
  flipped[png.size() / 2] = static_cast<char>(~flipped[png.size() / 2]);
  EXPECT_THAT(Error(flipped), HasSubstr("the PNG image is damaged"));
  const std::string jpeg = EncodeJpeg(PlainImage(64, 64, {1, 200, 3}));
  EXPECT_THAT(Error(jpeg.substr(0, jpeg.size() / 2)), HasSubstr("the JPEG image is damaged"));
  EXPECT_THAT(Error(jpeg.substr(0, 20)), HasSubstr("the JPEG image is damaged"));
}

TEST(ImageDecoderTest, RefusesHugeImagesBeforeDecoding) {
  EXPECT_THAT(Error(EncodePng(PlainImage(1, 9000, {1}))), HasSubstr("1 pixels high and 9000 wide; at most 8192"));
  EXPECT_THAT(Error(EncodeJpeg(PlainImage(9000, 1, {1}))), HasSubstr("9000 pixels high and 1 wide; at most 8192"));
}

TEST(ImageDecoderTest, SurvivesDamageAnywhere) {
  Image image = PlainImage(9, 11, {1, 2, 3});
  for (size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = static_cast<uint8_t>(i * 37);
  for (const std::string& whole : {EncodePng(image), EncodeJpeg(image)}) {
    for (size_t at = 0; at < whole.size(); ++at) {
      for (int bit : {0x01, 0x80, 0xff}) {
        std::string damaged = whole;
        damaged[at] = static_cast<char>(damaged[at] ^ bit);
        const auto decoded = Decode(damaged, 3);
        if (decoded.ok()) {
          EXPECT_EQ(decoded->pixels.size(), decoded->size());
        }
      }
    }
  }
}

}  // namespace
}  // namespace lathe

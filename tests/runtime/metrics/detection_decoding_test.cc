#include "runtime/metrics/detection_decoding.h"

#include <gmock/gmock.h>

#include <cmath>

#include "tests/runtime/metrics/metric_case.h"

namespace lathe {
namespace {

const std::vector<TensorInfo> kImage = {MakeInfo("image", {1, 20, 20, 1})};

TEST(BoxOverlapTest, DividesWhatIsSharedByWhatIsCovered) {
  EXPECT_DOUBLE_EQ(BoxOverlap({0, 1, 0, 0, 2, 2}, {0, 1, 1, 0, 3, 2}), 2.0 / 6);
  EXPECT_EQ(BoxOverlap({0, 1, 0, 0, 1, 1}, {0, 1, 1, 0, 2, 1}), 0);
}

// A grid of 2 x 2 cells of 10 pixels, 2 classes; everything far below the score threshold but what a test sets.
class GridTest : public testing::Test {
 protected:
  void Set(size_t cell, std::vector<double> values) {
    std::copy(values.begin(), values.end(), grid_.begin() + static_cast<ptrdiff_t>(cell * 7));
  }
  std::vector<DetectedBox> Decode(const MetricOptions& options = {}) {
    const auto decoder = DetectionDecoder::Make(kImage, {MakeInfo("grid", {1, 2, 2, 7})}, options);
    EXPECT_TRUE(decoder.ok()) << decoder.status();
    return decoder->Decode(std::vector<std::vector<double>>{grid_});
  }
  std::vector<double> grid_ = std::vector<double>(28, -30);
};

TEST_F(GridTest, PlacesABoxByItsCell) {
  Set(3, {0, 0, std::log(0.2), std::log(0.1), 30, 30, -30});  // cell (1, 1): center (15, 15), anchor 30 pixels
  const auto boxes = Decode();
  ASSERT_EQ(boxes.size(), 1u);
  EXPECT_NEAR(boxes[0].x1, 12, 1e-9);
  EXPECT_NEAR(boxes[0].x2, 18, 1e-9);
  EXPECT_NEAR(boxes[0].y1, 13.5, 1e-9);
  EXPECT_NEAR(boxes[0].score, 1, 1e-9);
  EXPECT_EQ(boxes[0].kind, 0);
}

TEST_F(GridTest, CutsBoxesAtTheImageAndTheirSizeBeforeExp) {
  Set(0, {0, 0, 900, 900, 30, 30, -30});
  const auto boxes = Decode();
  ASSERT_EQ(boxes.size(), 1u);
  EXPECT_EQ(boxes[0].x1, 0);
  EXPECT_EQ(boxes[0].y2, 20);
}

TEST_F(GridTest, DropsOverlappingBoxesOfOneClassOnly) {
  Set(0, {30, 0, 0, 0, 1, 30, -30});  // both around (10, 5)
  Set(1, {-30, 0, 0, 0, 2, 30, 30});
  const auto boxes = Decode();
  ASSERT_EQ(boxes.size(), 2u);  // class 0 once, class 1 once
  EXPECT_GE(boxes[0].score, boxes[1].score);
  EXPECT_NE(boxes[0].kind, boxes[1].kind);
  MetricOptions options;
  options.detection.detections_max = 1;
  EXPECT_EQ(Decode(options).size(), 1u);
}

TEST(DetectionDecoderTest, ReadsPostProcessedBoxes) {
  const std::vector<TensorInfo> outputs = {MakeInfo("boxes", {1, 2, 4}), MakeInfo("classes", {1, 2}),
                                           MakeInfo("scores", {1, 2}), MakeInfo("count", {1})};
  MetricOptions options;
  options.detection.class_offset = 1;
  const auto decoder = DetectionDecoder::Make(kImage, outputs, options);
  ASSERT_TRUE(decoder.ok()) << decoder.status();
  const std::vector<std::vector<double>> values = {{.1, .2, .5, .6, 0, 0, 1, 1}, {4, 0}, {.9, .8}, {1}};
  const auto boxes = decoder->Decode(values);
  ASSERT_EQ(boxes.size(), 1u);
  EXPECT_EQ(boxes[0].kind, 5);
  EXPECT_NEAR(boxes[0].x1, 4, 1e-12);
  EXPECT_NEAR(boxes[0].y1, 2, 1e-12);
  EXPECT_NEAR(boxes[0].x2, 12, 1e-12);
}

TEST(DetectionDecoderTest, NamesTheOptionsThatItNeeds) {
  const auto reason = [](const std::vector<TensorInfo>& inputs, const std::vector<TensorInfo>& outputs) {
    return ReasonOf(DetectionDecoder::Make(inputs, outputs, {}).status());
  };
  EXPECT_EQ(reason(kImage, {MakeInfo("y", {1, 10})}), "METRIC_UNFIT");
  EXPECT_EQ(reason({MakeInfo("x", {1, 10})}, {MakeInfo("grid", {1, 2, 2, 7})}), "METRIC_UNFIT");
  EXPECT_EQ(reason(kImage, {MakeInfo("a", {1, 2}), MakeInfo("b", {1, 2})}), "METRIC_UNFIT");
}

}  // namespace
}  // namespace lathe

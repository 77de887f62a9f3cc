#ifndef LATHE_OPTIMIZER_RECIPE_PREPROCESSING_H_
#define LATHE_OPTIMIZER_RECIPE_PREPROCESSING_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "optimizer/recipe/violation_list.h"

namespace lathe {

// How an image becomes another size.
struct ImageResize {
  // Bilinear: half-pixel centres, two by two pixels, no antialiasing (tf.image.resize, OpenCV). Area: the mean of the
  // pixels that are covered (Pillow's reduce). Antialias: a triangle as wide as the step (Pillow's resize,
  // torchvision).
  enum class Method { kBilinear, kArea, kAntialias };
  uint32_t height = 0, width = 0;  // both,
  uint32_t shorter_side = 0;       // or this one: the other side keeps the proportions, rounded down
  std::optional<Method> method;    // default bilinear
};

// The middle of an image; an odd rest is one pixel more at the bottom and at the right.
struct ImageCrop {
  uint32_t height = 0, width = 0;
};

// How values of a data file become values of a model's input, in this order: decode, resize, crop, channels, then
// (value - mean) * scale. Integers and images only: floats are what the model takes already.
struct Preprocessing {
  enum class Channels { kRgb, kBgr, kGray };
  std::optional<double> scale, mean;  // one given, the other is 1 or 0
  std::optional<ImageResize> resize;
  std::optional<ImageCrop> crop;
  std::optional<Channels> channels;                 // default: RGB or gray, as the model's input has 3 channels or 1
  std::vector<double> channel_mean, channel_scale;  // in place of mean and scale, in the order of the input's channels

  bool ScalesIntegers() const;
  // True when a field asks for something that only images have.
  bool ChangesImages() const { return resize || crop || channels; }
};

// Every field that `over` sets wins over `base`.
Preprocessing MergePreprocessing(const Preprocessing& base, const Preprocessing& over);

// Images are at most so many pixels high and wide, so that no data file makes memory run out.
constexpr uint32_t kImageSideMax = 8192;

// Adds all that is wrong with it, by fields below preprocessing, e.g. "preprocessing.scale".
void CheckPreprocessing(const Preprocessing& preprocessing, ViolationList& violations);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_RECIPE_PREPROCESSING_H_

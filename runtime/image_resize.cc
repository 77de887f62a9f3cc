#include "runtime/image_resize.h"

#include <algorithm>
#include <cmath>

namespace lathe {

namespace {

// One output coordinate as a weighted sum of neighbouring input coordinates.
struct Taps {
  size_t begin = 0;
  std::vector<float> weights;  // sum 1
};

// Weights of the inputs in [low, high], by `weight` of the input's index, made to sum to 1.
template <typename Weight>
Taps MakeTaps(double low, double high, uint32_t from, const Weight& weight) {
  const auto begin = static_cast<int64_t>(std::max(0.0, std::floor(low)));
  const auto end = std::min<int64_t>(from, static_cast<int64_t>(std::ceil(high)));
  std::vector<double> weights;
  double sum = 0;
  for (int64_t i = begin; i < end; ++i) {
    weights.push_back(std::max(0.0, weight(static_cast<double>(i))));
    sum += weights.back();
  }
  Taps taps{static_cast<size_t>(begin), {}};
  for (double w : weights) taps.weights.push_back(static_cast<float>(w / sum));
  return taps;
}

std::vector<Taps> MakeAxis(uint32_t from, uint32_t to, ImageResize::Method method) {
  const double step = static_cast<double>(from) / to;
  std::vector<Taps> axis;
  for (uint32_t i = 0; i < to; ++i) {
    if (method == ImageResize::Method::kArea) {
      const double low = i * step, high = (i + 1) * step;
      axis.push_back(MakeTaps(low, high, from, [&](double x) { return std::min(x + 1, high) - std::max(x, low); }));
      continue;
    }
    // A triangle around the output's centre, one input pixel wide to each side, or the step with antialiasing.
    const double reach = method == ImageResize::Method::kAntialias ? std::max(step, 1.0) : 1.0;
    const double centre = (i + 0.5) * step - 0.5;
    const double inside = std::clamp(centre, 0.0, static_cast<double>(from - 1));
    const double at = method == ImageResize::Method::kAntialias ? centre : inside;
    axis.push_back(MakeTaps(at - reach, at + reach + 1, from, [&](double x) { return 1 - std::abs(x - at) / reach; }));
  }
  return axis;
}

}  // namespace

ImageSize ResizedSize(ImageSize size, const ImageResize& resize) {
  if (resize.shorter_side == 0) return {resize.height, resize.width};
  const auto longer = [&](uint64_t other, uint64_t shorter) {
    const uint64_t side = resize.shorter_side * other / shorter;  // below 2^26: sides are at most kImageSideMax
    return static_cast<uint32_t>(std::max<uint64_t>(side, 1));
  };
  if (size.height <= size.width) return {resize.shorter_side, longer(size.width, size.height)};
  return {longer(size.height, size.width), resize.shorter_side};
}

FloatImage ResizeImage(const Image& image, ImageSize size, ImageResize::Method method) {
  const auto [height, width] = size;
  const size_t channels = image.channels;
  const std::vector<Taps> columns = MakeAxis(image.width, width, method), rows = MakeAxis(image.height, height, method);
  std::vector<float> narrow(size_t{image.height} * width * channels);
  for (size_t y = 0; y < image.height; ++y) {
    const uint8_t* from = image.pixels.data() + y * image.width * channels;
    float* to = narrow.data() + y * width * channels;
    for (const Taps& taps : columns) {
      for (size_t c = 0; c < channels; ++c) {
        float sum = 0;
        for (size_t t = 0; t < taps.weights.size(); ++t) {
          sum += taps.weights[t] * static_cast<float>(from[(taps.begin + t) * channels + c]);
        }
        *to++ = sum;
      }
    }
  }
  FloatImage resized{height, width, image.channels, {}};
  resized.pixels.assign(resized.size(), 0);
  const size_t row_size = width * channels;
  for (size_t y = 0; y < height; ++y) {
    float* to = resized.pixels.data() + y * row_size;
    for (size_t t = 0; t < rows[y].weights.size(); ++t) {
      const float weight = rows[y].weights[t];
      const float* from = narrow.data() + (rows[y].begin + t) * row_size;
      for (size_t i = 0; i < row_size; ++i) to[i] += weight * from[i];
    }
  }
  return resized;
}

template <typename T>
absl::StatusOr<ImageOf<T>> CropMiddle(const ImageOf<T>& image, const ImageCrop& crop) {
  if (crop.height > image.height || crop.width > image.width) {
    return MakeError(
        absl::StatusCode::kInvalidArgument, "DATA_INVALID",
        absl::StrFormat("the image is %d pixels high and %d wide, smaller than the crop of %d x %d: resize "
                        "it first (preprocessing.resize)",
                        image.height, image.width, crop.height, crop.width));
  }
  const size_t top = (image.height - crop.height) / 2, left = (image.width - crop.width) / 2;
  const size_t row_size = size_t{crop.width} * image.channels;
  ImageOf<T> cropped{crop.height, crop.width, image.channels, {}};
  cropped.pixels.reserve(cropped.size());
  for (size_t y = 0; y < crop.height; ++y) {
    const auto from = image.pixels.begin() + static_cast<ptrdiff_t>(((top + y) * image.width + left) * image.channels);
    cropped.pixels.insert(cropped.pixels.end(), from, from + static_cast<ptrdiff_t>(row_size));
  }
  return cropped;
}
template absl::StatusOr<Image> CropMiddle(const Image&, const ImageCrop&);
template absl::StatusOr<FloatImage> CropMiddle(const FloatImage&, const ImageCrop&);

}  // namespace lathe

#include "runtime/image_column.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <type_traits>
#include <utility>

#include "absl/strings/str_join.h"
#include "runtime/image_decoder.h"
#include "runtime/image_resize.h"

namespace lathe {

namespace {

absl::Status Invalid(const std::string& text) {
  return MakeError(absl::StatusCode::kInvalidArgument, "DATA_INVALID", text);
}

bool IsChannelCount(int32_t dimension) { return dimension == 1 || dimension == 3; }

ImageLayout Layout(int32_t height, int32_t width, int32_t channels, bool planar) {
  return {static_cast<uint32_t>(height), static_cast<uint32_t>(width), static_cast<uint32_t>(channels), planar};
}

// Pixels of an array: [samples, H, W] or [samples, H, W, 1 or 3] of uint8.
bool HoldsPixels(const DataColumn& column) {
  if (column.type != NpyType::kUint8) return false;
  const std::vector<int64_t>& shape = column.shape;
  return shape.size() == 3 || (shape.size() == 4 && (shape[3] == 1 || shape[3] == 3));
}

}  // namespace

std::optional<ImageLayout> FindImageLayout(const TensorInfo& input) {
  const std::vector<int32_t>& shape = input.shape;
  if (shape.size() == 4) {
    if (IsChannelCount(shape[3])) return Layout(shape[1], shape[2], shape[3], false);
    if (IsChannelCount(shape[1])) return Layout(shape[2], shape[3], shape[1], true);
  }
  if (shape.size() == 3) {
    if (IsChannelCount(shape[2])) return Layout(shape[0], shape[1], shape[2], false);
    return Layout(shape[1], shape[2], 1, false);
  }
  return std::nullopt;
}

absl::StatusOr<std::optional<IntegerScaling>> MakeIntegerScaling(const Preprocessing& preprocessing,
                                                                 const TensorInfo& input) {
  if (!preprocessing.ScalesIntegers()) return std::nullopt;
  IntegerScaling scaling;
  scaling.scale = preprocessing.scale.value_or(1);
  scaling.mean = preprocessing.mean.value_or(0);
  const size_t channels = std::max(preprocessing.channel_scale.size(), preprocessing.channel_mean.size());
  if (channels == 0) return scaling;
  const std::optional<ImageLayout> layout = FindImageLayout(input);
  if (!layout || layout->channels != channels) {
    return Invalid(absl::StrFormat(
        "preprocessing.channel_mean or channel_scale has %d numbers, but the model's input '%s' has the shape [%s]: "
        "give one number for each of its channels",
        channels, DisplayName(input), absl::StrJoin(input.shape, ",")));
  }
  scaling.channel_scale = preprocessing.channel_scale;
  scaling.channel_scale.resize(channels, scaling.scale);
  scaling.channel_mean = preprocessing.channel_mean;
  scaling.channel_mean.resize(channels, scaling.mean);
  scaling.channel_stride = layout->planar ? size_t{layout->height} * layout->width : 1;
  return scaling;
}

bool ImageColumn::IsNeeded(const DataColumn& column, const Preprocessing& preprocessing) {
  return column.encoded || preprocessing.ChangesImages();
}

absl::StatusOr<ImageColumn> ImageColumn::Make(const DataColumn& column, const TensorInfo& input,
                                              const Preprocessing& preprocessing,
                                              const std::optional<IntegerScaling>& scaling) {
  ImageColumn made;
  made.column_ = column;
  made.preprocessing_ = preprocessing;
  made.scaling_ = scaling;
  const std::string shape = "[" + absl::StrJoin(input.shape, ",") + "]";
  const std::optional<ImageLayout> layout = FindImageLayout(input);
  if (!layout) {
    return Invalid(
        absl::StrFormat("holds images, but the model's input '%s' has the shape %s, which is none of an image",
                        DisplayName(input), shape));
  }
  made.layout_ = *layout;
  if (!column.encoded && !HoldsPixels(column)) {
    return Invalid(
        absl::StrFormat("preprocessing.resize, crop and channels need images: encoded ones, or uint8 of shape "
                        "[samples,height,width] or "
                        "[samples,height,width,channels]; found %s of shape [%s]",
                        std::string(NameOf(column.type)), absl::StrJoin(column.shape, ",")));
  }
  const bool colours =
      preprocessing.channels.value_or(Preprocessing::Channels::kGray) != Preprocessing::Channels::kGray;
  if (colours && layout->channels == 1) {
    return Invalid(
        absl::StrFormat("preprocessing.channels asks for colours, but the model's input '%s' of shape %s has "
                        "one channel",
                        DisplayName(input), shape));
  }
  const int64_t channels = column.shape.size() == 4 ? column.shape[3] : 1;
  if (!column.encoded && channels != layout->channels) {
    return Invalid(absl::StrFormat("the array's images have %d channels, the model's input '%s' of shape %s has %d",
                                   channels, DisplayName(input), shape, layout->channels));
  }
  LATHE_RETURN_IF_ERROR(CheckConvertible(NpyType::kUint8, input, scaling));
  made.place_ = input;
  made.place_.elements = int64_t{layout->height} * layout->width * layout->channels;
  made.place_.size_bytes =
      input.size_bytes / static_cast<size_t>(input.elements) * static_cast<size_t>(made.place_.elements);
  return made;
}

absl::StatusOr<Image> ImageColumn::Decode(absl::Span<const uint8_t> value) const {
  const bool gray = preprocessing_.channels == Preprocessing::Channels::kGray;
  if (column_.encoded) return DecodeImage(value, gray ? 1 : layout_.channels);
  return Image{static_cast<uint32_t>(column_.shape[1]), static_cast<uint32_t>(column_.shape[2]), layout_.channels,
               std::vector<uint8_t>(value.begin(), value.end())};
}

absl::Status ImageColumn::Convert(absl::Span<const uint8_t> value, absl::Span<uint8_t> out) const {
  LATHE_ASSIGN_OR_RETURN(const Image image, Decode(value));
  if (!preprocessing_.resize) return CropAndStore(image, out);
  const ImageSize size = ResizedSize({image.height, image.width}, *preprocessing_.resize);
  if (size.height > kImageSideMax || size.width > kImageSideMax) {
    return Invalid(
        absl::StrFormat("the image would be %d pixels high and %d wide after preprocessing.resize; at most %d "
                        "each are accepted",
                        size.height, size.width, kImageSideMax));
  }
  const ImageResize::Method method = preprocessing_.resize->method.value_or(ImageResize::Method::kBilinear);
  return CropAndStore(ResizeImage(image, size, method), out);
}

template <typename T>
absl::Status ImageColumn::CropAndStore(const ImageOf<T>& image, absl::Span<uint8_t> out) const {
  if (!preprocessing_.crop) return Store(image, out);
  LATHE_ASSIGN_OR_RETURN(const ImageOf<T> cropped, CropMiddle(image, *preprocessing_.crop));
  return Store(cropped, out);
}

template <typename To, typename Value>
std::vector<To> ImageColumn::Arrange(const Value& value) const {
  const size_t channels = layout_.channels, pixels = size_t{layout_.height} * layout_.width;
  std::vector<To> values(pixels * channels);
  for (size_t c = 0; c < channels; ++c) {
    To* to = values.data() + (layout_.planar ? c * pixels : c);
    const size_t step = layout_.planar ? 1 : channels;
    for (size_t p = 0; p < pixels; ++p) to[p * step] = value(c, p);
  }
  return values;
}

template <typename T>
absl::Status ImageColumn::Store(const ImageOf<T>& image, absl::Span<uint8_t> out) const {
  if (image.height != layout_.height || image.width != layout_.width) {
    return Invalid(absl::StrFormat(
        "the image is %d pixels high and %d wide, the model takes %d x %d: say how to fit it with preprocessing.resize "
        "and crop",
        image.height, image.width, layout_.height, layout_.width));
  }
  const bool swapped = preprocessing_.channels == Preprocessing::Channels::kBgr;
  // A gray image for an input of three channels is the same in each.
  const auto pixel = [&](size_t c, size_t p) {
    const size_t from = image.channels == 1 ? 0 : swapped ? 2 - c : c;
    return image.pixels[p * image.channels + from];
  };
  if (!scaling_) {
    const std::vector<uint8_t> values = Arrange<uint8_t>([&](size_t c, size_t p) {
      if constexpr (std::is_same_v<T, uint8_t>) {
        return pixel(c, p);
      } else {
        return static_cast<uint8_t>(std::clamp(std::nearbyint(pixel(c, p)), T{0}, T{255}));
      }
    });
    return ConvertValues(values, NpyType::kUint8, place_, std::nullopt, out);
  }
  std::vector<float> values;
  if constexpr (std::is_same_v<T, uint8_t>) {
    std::array<std::array<float, 256>, 3> table;
    for (size_t c = 0; c < layout_.channels; ++c) {
      for (size_t v = 0; v < 256; ++v) table[c][v] = static_cast<float>(scaling_->Apply(static_cast<double>(v), c));
    }
    values = Arrange<float>([&](size_t c, size_t p) { return table[c][pixel(c, p)]; });
  } else {
    values = Arrange<float>(
        [&](size_t c, size_t p) { return static_cast<float>(scaling_->Apply(static_cast<double>(pixel(c, p)), c)); });
  }
  const auto* bytes = reinterpret_cast<const uint8_t*>(values.data());
  return ConvertValues(absl::MakeConstSpan(bytes, values.size() * sizeof(float)), NpyType::kFloat32, place_,
                       std::nullopt, out);
}

}  // namespace lathe

#ifndef LATHE_RUNTIME_IMAGE_COLUMN_H_
#define LATHE_RUNTIME_IMAGE_COLUMN_H_

#include <optional>

#include "absl/types/span.h"
#include "common/status.h"
#include "optimizer/recipe/preprocessing.h"
#include "runtime/data_file.h"
#include "runtime/image.h"
#include "runtime/interpreter.h"
#include "runtime/value_conversion.h"

namespace lathe {

// How an input holds an image, its batch dimension left out.
struct ImageLayout {
  uint32_t height = 0, width = 0, channels = 0;
  bool planar = false;  // channel by channel instead of pixel by pixel
};

// [N,H,W,C] and [N,C,H,W] with 1 or 3 channels, [H,W,C], and [N,H,W]; nothing for other shapes.
std::optional<ImageLayout> FindImageLayout(const TensorInfo& input);

// How integers become real numbers for `input`; nothing when the preprocessing does not say. INVALID_ARGUMENT
// (DATA_INVALID): channel_mean or channel_scale of another length than the input has channels.
absl::StatusOr<std::optional<IntegerScaling>> MakeIntegerScaling(const Preprocessing& preprocessing,
                                                                 const TensorInfo& input);

// Turns the images of a column into values of an input. Immutable, so any number of threads may use it.
class ImageColumn {
 public:
  // True when the column's values have to go through this class: encoded images, or pixels that are to be changed.
  static bool IsNeeded(const DataColumn& column, const Preprocessing& preprocessing);
  // INVALID_ARGUMENT: DATA_INVALID (the input takes no image, the column holds no pixels, colours for an input of one
  // channel) or DATA_NEEDS_SCALE (see CheckConvertible). REQUIRES: the preprocessing has no violations.
  static absl::StatusOr<ImageColumn> Make(const DataColumn& column, const TensorInfo& input,
                                          const Preprocessing& preprocessing,
                                          const std::optional<IntegerScaling>& scaling);

  // One sample; `out` is one place of the input's batch. INVALID_ARGUMENT (DATA_INVALID): no image (see DecodeImage),
  // or not of the input's size after resize and crop.
  absl::Status Convert(absl::Span<const uint8_t> value, absl::Span<uint8_t> out) const;
  // Bytes of one place of the input's batch.
  size_t size_bytes() const { return place_.size_bytes; }

 private:
  ImageColumn() = default;
  absl::StatusOr<Image> Decode(absl::Span<const uint8_t> value) const;
  template <typename T>
  absl::Status CropAndStore(const ImageOf<T>& image, absl::Span<uint8_t> out) const;
  template <typename T>
  absl::Status Store(const ImageOf<T>& image, absl::Span<uint8_t> out) const;
  // Puts value(channel, pixel of it) of every element in the input's order.
  template <typename To, typename Value>
  std::vector<To> Arrange(const Value& value) const;

  DataColumn column_;
  Preprocessing preprocessing_;
  std::optional<IntegerScaling> scaling_;
  ImageLayout layout_;
  TensorInfo place_;  // the input, as large as one place of its batch
};

}  // namespace lathe

#endif  // LATHE_RUNTIME_IMAGE_COLUMN_H_

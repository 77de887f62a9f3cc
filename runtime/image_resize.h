#ifndef LATHE_RUNTIME_IMAGE_RESIZE_H_
#define LATHE_RUNTIME_IMAGE_RESIZE_H_

#include "common/status.h"
#include "optimizer/recipe/preprocessing.h"
#include "runtime/image.h"

namespace lathe {

struct ImageSize {
  uint32_t height = 0, width = 0;
};

// The size of an image of `size` after `resize`. REQUIRES: it has no violations, the image is not empty.
ImageSize ResizedSize(ImageSize size, const ImageResize& resize);

// Resamples without rounding; see ImageResize::Method. REQUIRES: neither size is empty.
FloatImage ResizeImage(const Image& image, ImageSize size, ImageResize::Method method);

// The middle of the image. INVALID_ARGUMENT (DATA_INVALID): the image is smaller than that.
template <typename T>
absl::StatusOr<ImageOf<T>> CropMiddle(const ImageOf<T>& image, const ImageCrop& crop);

}  // namespace lathe

#endif  // LATHE_RUNTIME_IMAGE_RESIZE_H_

#ifndef LATHE_RUNTIME_IMAGE_H_
#define LATHE_RUNTIME_IMAGE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lathe {

// Pixels row by row, channels side by side: (y, x, c) lies at (y * width + x) * channels + c. 0 is black, 255 white.
template <typename T>
struct ImageOf {
  uint32_t height = 0, width = 0, channels = 0;
  std::vector<T> pixels;
  size_t size() const { return size_t{height} * width * channels; }
};
using Image = ImageOf<uint8_t>;
using FloatImage = ImageOf<float>;

}  // namespace lathe

#endif  // LATHE_RUNTIME_IMAGE_H_

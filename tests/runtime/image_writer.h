#ifndef LATHE_TESTS_RUNTIME_IMAGE_WRITER_H_
#define LATHE_TESTS_RUNTIME_IMAGE_WRITER_H_

#include <string>

#include "runtime/image.h"

namespace lathe {

// Files of an image of 1 (gray), 3 (RGB) or, PNG only, 4 (RGBA) channels; fail the process when they cannot be made.
std::string EncodePng(const Image& image);
std::string EncodeJpeg(const Image& image);

// height x width pixels of a colour each.
Image PlainImage(uint32_t height, uint32_t width, const std::vector<uint8_t>& colour);

}  // namespace lathe

#endif  // LATHE_TESTS_RUNTIME_IMAGE_WRITER_H_

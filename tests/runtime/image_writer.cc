#include "tests/runtime/image_writer.h"

#include <png.h>
#include <turbojpeg.h>

#include <cstdlib>
#include <cstring>

namespace lathe {

std::string EncodePng(const Image& image) {
  png_image png;
  memset(&png, 0, sizeof(png));
  png.version = PNG_IMAGE_VERSION;
  png.width = image.width;
  png.height = image.height;
  png.format = image.channels == 1 ? PNG_FORMAT_GRAY : image.channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_RGBA;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(png);
  std::string bytes(size, '\0');
  if (png_image_write_to_memory(&png, bytes.data(), &size, 0, image.pixels.data(), 0, nullptr) == 0) abort();
  bytes.resize(size);
  return bytes;
}

std::string EncodeJpeg(const Image& image) {
  tjhandle encoder = tjInitCompress();
  unsigned char* made = nullptr;
  unsigned long size = 0;  // NOLINT: the library's type
  const int format = image.channels == 1 ? TJPF_GRAY : TJPF_RGB;
  const int sampling = image.channels == 1 ? TJSAMP_GRAY : TJSAMP_444;
  if (tjCompress2(encoder, image.pixels.data(), static_cast<int>(image.width), 0, static_cast<int>(image.height),
                  format, &made, &size, sampling, 100, 0) != 0) {
    abort();
  }
  std::string bytes(reinterpret_cast<const char*>(made), size);
  tjFree(made);
  tjDestroy(encoder);
  return bytes;
}

Image PlainImage(uint32_t height, uint32_t width, const std::vector<uint8_t>& colour) {
  Image image{height, width, static_cast<uint32_t>(colour.size()), {}};
  while (image.pixels.size() < image.size()) image.pixels.insert(image.pixels.end(), colour.begin(), colour.end());
  return image;
}

}  // namespace lathe

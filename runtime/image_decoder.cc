#include "runtime/image_decoder.h"

#include <png.h>
#include <turbojpeg.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "optimizer/model/file_kind.h"
#include "optimizer/recipe/preprocessing.h"

namespace lathe {

namespace {

absl::Status Invalid(const std::string& text) {
  return MakeError(absl::StatusCode::kInvalidArgument, "DATA_INVALID", text);
}

absl::Status CheckSize(uint64_t height, uint64_t width) {
  if (height > 0 && width > 0 && height <= kImageSideMax && width <= kImageSideMax) return absl::OkStatus();
  return Invalid(absl::StrFormat("the image is %d pixels high and %d wide; at most %d each are accepted", height, width,
                                 kImageSideMax));
}

class PngReader {
 public:
  PngReader() {
    memset(&image_, 0, sizeof(image_));
    image_.version = PNG_IMAGE_VERSION;
  }
  ~PngReader() { png_image_free(&image_); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  absl::StatusOr<Image> Read(absl::Span<const uint8_t> file, uint32_t channels) {
    if (png_image_begin_read_from_memory(&image_, file.data(), file.size()) == 0) return Damaged();
    LATHE_RETURN_IF_ERROR(CheckSize(image_.height, image_.width));
    const bool gray = (image_.format & PNG_FORMAT_FLAG_COLOR) == 0;
    // With alpha, which is dropped below: without it the library would blend the pixels with a background.
    image_.format = gray ? PNG_FORMAT_GA : PNG_FORMAT_RGBA;
    std::vector<uint8_t> pixels(PNG_IMAGE_SIZE(image_));
    if (png_image_finish_read(&image_, nullptr, pixels.data(), 0, nullptr) == 0 || PNG_IMAGE_FAILED(image_)) {
      return Damaged();
    }
    Image result{image_.height, image_.width, channels, {}};
    result.pixels.resize(result.size());
    const size_t from = gray ? 2 : 4;
    for (size_t i = 0; i < result.pixels.size() / channels; ++i) {
      Convert(pixels.data() + i * from, gray, channels, result.pixels.data() + i * channels);
    }
    return result;
  }

 private:
  static void Convert(const uint8_t* from, bool gray, uint32_t channels, uint8_t* to) {
    if (gray) {
      memset(to, from[0], channels);
    } else if (channels == 3) {
      memcpy(to, from, 3);
    } else {
      // ITU-R 601 in 16 bits of fraction, rounded, as Pillow does it.
      to[0] = static_cast<uint8_t>((from[0] * 19595u + from[1] * 38470u + from[2] * 7471u + 0x8000u) >> 16);
    }
  }
  absl::Status Damaged() const {
    return Invalid(absl::StrFormat("the PNG image is damaged: %s", std::string(image_.message)));
  }

  png_image image_;
};

absl::StatusOr<Image> DecodeJpeg(absl::Span<const uint8_t> file, uint32_t channels) {
  const std::unique_ptr<void, int (*)(void*)> decoder(tjInitDecompress(), tjDestroy);
  const auto damaged = [&] {
    return Invalid(absl::StrFormat("the JPEG image is damaged: %s", std::string(tjGetErrorStr2(decoder.get()))));
  };
  if (decoder == nullptr) return absl::ResourceExhaustedError("no memory for a JPEG decoder");
  int width = 0, height = 0, sampling = 0, colours = 0;
  if (tjDecompressHeader3(decoder.get(), file.data(), file.size(), &width, &height, &sampling, &colours) != 0) {
    return damaged();
  }
  if (height <= 0 || width <= 0) return Invalid("the JPEG image is damaged: it has no size");  // cut short
  LATHE_RETURN_IF_ERROR(CheckSize(static_cast<uint64_t>(height), static_cast<uint64_t>(width)));
  if (colours == TJCS_CMYK || colours == TJCS_YCCK) return Invalid("the JPEG image has CMYK colours; save it as RGB");
  Image image{static_cast<uint32_t>(height), static_cast<uint32_t>(width), channels, {}};
  image.pixels.resize(image.size());
  // A limit on scans: a small progressive file can ask for thousands of passes over a large image.
  if (tjDecompress2(decoder.get(), file.data(), file.size(), image.pixels.data(), width, 0, height,
                    channels == 1 ? TJPF_GRAY : TJPF_RGB, TJFLAG_LIMITSCANS | TJFLAG_ACCURATEDCT) != 0) {
    return damaged();
  }
  return image;
}

}  // namespace

absl::StatusOr<Image> DecodeImage(absl::Span<const uint8_t> file, uint32_t channels) {
  const std::string_view start(reinterpret_cast<const char*>(file.data()), std::min<size_t>(file.size(), 8));
  if (start == "\x89PNG\r\n\x1a\n") return PngReader().Read(file, channels);
  if (start.substr(0, 3) == "\xff\xd8\xff") return DecodeJpeg(file, channels);
  if (start.empty()) return Invalid("expected a PNG or JPEG image, found no bytes");
  return Invalid("expected a PNG or JPEG image, found " + DescribeForeignFile(file));
}

}  // namespace lathe

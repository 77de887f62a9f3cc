#ifndef LATHE_RUNTIME_IMAGE_DECODER_H_
#define LATHE_RUNTIME_IMAGE_DECODER_H_

#include "absl/types/span.h"
#include "common/status.h"
#include "runtime/image.h"

namespace lathe {

// Decodes a PNG or JPEG file to `channels` channels: 1 (gray: JPEG's own luma, else 0.299 R + 0.587 G + 0.114 B) or 3
// (RGB). An alpha channel is dropped, 16 bits become 8, palettes and gray become colours. INVALID_ARGUMENT
// (DATA_INVALID): another format, CMYK, damaged or cut short (what the decoder only warns of counts, too), or a side
// above kImageSideMax. REQUIRES: channels is 1 or 3. Thread-safe.
absl::StatusOr<Image> DecodeImage(absl::Span<const uint8_t> file, uint32_t channels);

}  // namespace lathe

#endif  // LATHE_RUNTIME_IMAGE_DECODER_H_

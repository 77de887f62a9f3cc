#ifndef LATHE_OPTIMIZER_MODEL_FILE_KIND_H_
#define LATHE_OPTIMIZER_MODEL_FILE_KIND_H_

#include <cstdint>
#include <string>

#include "absl/types/span.h"

namespace lathe {

// What bytes that are not a LiteRT model seem to be, for an error message: "a PNG image", "a ZIP archive (a PyTorch or
// Keras file?)", or the first bytes in hex when nothing known fits.
std::string DescribeForeignFile(absl::Span<const uint8_t> bytes);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_MODEL_FILE_KIND_H_

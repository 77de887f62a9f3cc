#include "optimizer/model/file_kind.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/str_format.h"

namespace lathe {
namespace {

struct Magic {
  std::string_view bytes;
  std::string_view meaning;
};

constexpr Magic kMagics[] = {
    {std::string_view("\x89PNG", 4), "a PNG image"},
    {std::string_view("\xff\xd8\xff", 3), "a JPEG image"},
    {std::string_view("GIF8", 4), "a GIF image"},
    {std::string_view("PK\x03\x04", 4), "a ZIP archive (a Keras, PyTorch or .npz file, or a .task bundle?)"},
    {std::string_view("\x89HDF", 4), "an HDF5 file (a Keras .h5 model?)"},
    {std::string_view("\x1f\x8b", 2), "a gzip file; unpack it first"},
    {std::string_view("\x28\xb5\x2f\xfd", 4), "a zstd file; unpack it first"},
    {std::string_view("\x93NUMPY", 6), "a NumPy array"},
    {std::string_view("\x80\x02", 2), "a Python pickle (a PyTorch file?)"},
    {std::string_view("GGUF", 4), "a GGUF model"},
    {std::string_view("\x7f"
                      "ELF",
                      4),
     "an ELF program"},
    {std::string_view("%PDF", 4), "a PDF document"},
    {std::string_view("version https://git-lfs", 23), "a Git LFS pointer; fetch the real file"},
    {std::string_view("<", 1), "markup (a web page saved in place of the file?)"},
    {std::string_view("{", 1), "JSON text"},
};

}  // namespace

std::string DescribeForeignFile(absl::Span<const uint8_t> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (const Magic& magic : kMagics) {
    if (text.substr(0, magic.bytes.size()) == magic.bytes) return std::string(magic.meaning);
  }
  std::string hex;
  for (uint8_t byte : bytes.subspan(0, std::min<size_t>(bytes.size(), 8))) hex += absl::StrFormat(" %02x", byte);
  return absl::StrFormat("something that begins with the bytes%s", hex);
}

}  // namespace lathe

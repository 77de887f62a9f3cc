#include "tests/runtime/npz_writer.h"

#include <zip.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

namespace lathe {

std::string Npy(const std::string& descr, const std::string& shape, const std::string& data,
                const std::string& fortran_order, char version) {
  const std::string quoted = descr[0] == '[' ? descr : "'" + descr + "'";
  std::string header = "{'descr': " + quoted + ", 'fortran_order': " + fortran_order + ", 'shape': " + shape + ", }";
  const size_t prefix = version == 1 ? 10 : 12;
  while ((prefix + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  std::string file = "\x93NUMPY";
  file += version;
  file += '\0';
  for (size_t i = 0; i < prefix - 8; ++i) file += static_cast<char>(header.size() >> (8 * i) & 0xff);
  return file + header + data;
}

void WriteNpz(const std::string& path, const std::vector<std::pair<std::string, std::string>>& members, bool deflate) {
  int error = 0;
  zip_t* zip = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &error);
  if (zip == nullptr) abort();
  for (const auto& [name, bytes] : members) {
    zip_source_t* source = zip_source_buffer(zip, bytes.data(), bytes.size(), 0);
    const zip_int64_t index = zip_file_add(zip, name.c_str(), source, 0);
    if (index < 0) abort();
    const zip_int32_t method = deflate ? ZIP_CM_DEFLATE : ZIP_CM_STORE;
    if (zip_set_file_compression(zip, static_cast<zip_uint64_t>(index), method, 0) != 0) abort();
  }
  if (zip_close(zip) != 0) abort();
}

void WriteBytes(const std::string& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary);
  file << bytes;
  if (!file.flush()) abort();
}

std::string ReadBytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace lathe

#ifndef LATHE_TESTS_RUNTIME_NPZ_WRITER_H_
#define LATHE_TESTS_RUNTIME_NPZ_WRITER_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace lathe {

// The bytes of a .npy file of format version 1 as numpy writes it. `shape` is the tuple's text: "(2, 3)".
std::string Npy(const std::string& descr, const std::string& shape, const std::string& data,
                const std::string& fortran_order = "False", char version = 1);

// The values' bytes.
template <typename T>
std::string Bytes(const std::vector<T>& values) {
  return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

// A zip of members, each a name (with .npy) and its bytes; fails the process when it cannot be written.
void WriteNpz(const std::string& path, const std::vector<std::pair<std::string, std::string>>& members,
              bool deflate = false);

void WriteBytes(const std::string& path, const std::string& bytes);
std::string ReadBytes(const std::string& path);

}  // namespace lathe

#endif  // LATHE_TESTS_RUNTIME_NPZ_WRITER_H_

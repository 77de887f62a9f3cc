// Reads damaged versions of data files and images: each is read or refused with an error, never a crash.
//   fuzz_data COUNT SEED FILE...
// Run by tools/fuzz under sanitizers. Prints one line a file.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>
#include <string>

#include "runtime/data_file.h"
#include "runtime/image_decoder.h"

namespace lathe {
namespace {

constexpr uint64_t kBytesMax = uint64_t{1} << 28;
constexpr uint64_t kRowsRead = 64;

std::string ReadWhole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// One to eight bytes changed, a piece left out, or the end cut off.
std::string Damage(std::string bytes, std::mt19937_64& random) {
  const uint64_t kind = random() % 8;
  if (kind == 0) return bytes.substr(0, random() % bytes.size());
  if (kind == 1) return bytes.erase(random() % bytes.size(), random() % 64);
  // Headers and footers are short and decide most: half of the changes go there.
  const size_t window = random() % 2 == 0 ? bytes.size() : std::min<size_t>(bytes.size(), 512);
  const bool at_end = random() % 2 == 0;
  for (uint64_t change = random() % 8 + 1; change > 0; --change) {
    const size_t at = random() % window;
    bytes[at_end ? bytes.size() - 1 - at : at] = static_cast<char>(random());
  }
  return bytes;
}

// True if it was read to the end.
bool ReadData(const std::string& path) {
  const auto file = DataFile::Open(path, kBytesMax);
  if (!file.ok()) return false;
  std::vector<uint8_t> value;
  for (size_t column = 0; column < (*file)->columns().size(); ++column) {
    if (!(*file)->columns()[column].problem.empty()) continue;
    const auto reader = (*file)->OpenColumn(column);
    if (!reader.ok()) return false;
    for (uint64_t row = 0; row < std::min((*file)->columns()[column].rows(), kRowsRead); ++row) {
      if (!(*reader)->Read(&value).ok()) return false;
      if ((*file)->columns()[column].encoded) static_cast<void>(DecodeImage(value, 3));
    }
  }
  return true;
}

bool IsImage(const std::string& bytes) {
  return bytes.substr(0, 4) == "\x89PNG" || bytes.substr(0, 3) == "\xff\xd8\xff";
}

void FuzzFile(const std::string& path, int count, uint64_t seed) {
  const std::string whole = ReadWhole(path);
  if (whole.empty()) return;
  std::mt19937_64 random(seed);
  const std::string damaged_path = "/tmp/fuzz_data." + std::to_string(getpid());
  int read = 0;
  for (int i = 0; i < count; ++i) {
    const std::string damaged = Damage(whole, random);
    if (IsImage(whole)) {
      const auto* bytes = reinterpret_cast<const uint8_t*>(damaged.data());
      read += DecodeImage(absl::MakeConstSpan(bytes, damaged.size()), i % 2 == 0 ? 3 : 1).ok();
      continue;
    }
    std::ofstream(damaged_path, std::ios::binary) << damaged;
    read += ReadData(damaged_path);
  }
  unlink(damaged_path.c_str());
  printf("%s: %d of %d damaged versions could be read\n", path.c_str(), read, count);
}

}  // namespace
}  // namespace lathe

int main(int argc, char** argv) {
  if (argc < 4) {
    fprintf(stderr, "usage: fuzz_data COUNT SEED FILE...\n");
    return 2;
  }
  for (int i = 3; i < argc; ++i) lathe::FuzzFile(argv[i], atoi(argv[1]), strtoull(argv[2], nullptr, 10));
  return 0;
}

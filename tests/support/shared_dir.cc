#include "tests/support/shared_dir.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace lathe {

std::string SharedDir() {
  const char* dir = getenv("LATHE_SHARED_DIR");
  if (dir == nullptr || !std::filesystem::is_directory(dir)) return "";
  return dir;
}

std::vector<std::string> SharedModels() {
  std::vector<std::string> models;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(SharedDir())) {
    if (entry.path().extension() == ".tflite") models.push_back(entry.path());
  }
  std::sort(models.begin(), models.end());
  return models;
}

TempDir::TempDir() {
  std::string pattern = std::filesystem::temp_directory_path() / "lathe-test-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) abort();
  path_ = pattern;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace lathe

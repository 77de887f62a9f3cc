#ifndef LATHE_TESTS_SUPPORT_SHARED_DIR_H_
#define LATHE_TESTS_SUPPORT_SHARED_DIR_H_

#include <string>
#include <vector>

namespace lathe {

// The folder with real models and data that LATHE_SHARED_DIR names (models/*.tflite, data/*/...), or "" when it is not
// set. With LATHE_REQUIRE_SHARED=1 an absent folder is a test failure instead of a skip: use LATHE_SKIP_WITHOUT_SHARED.
std::string SharedDir();

// Every .tflite file below SharedDir(), sorted.
std::vector<std::string> SharedModels();

// A temporary folder, removed with its contents at the end of scope.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace lathe

#define LATHE_SKIP_WITHOUT_SHARED()                                                         \
  if (::lathe::SharedDir().empty()) {                                                       \
    if (getenv("LATHE_REQUIRE_SHARED") != nullptr) FAIL() << "LATHE_SHARED_DIR is not set"; \
    GTEST_SKIP() << "LATHE_SHARED_DIR is not set: no real models here";                     \
  }                                                                                         \
  static_cast<void>(0)

#endif  // LATHE_TESTS_SUPPORT_SHARED_DIR_H_

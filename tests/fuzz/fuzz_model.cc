// fuzz_model COUNT SEED FILE...: reads COUNT damaged versions of each model file. Ends with 1 and the seed and number
// of the first one that is neither read nor refused in order; a crash shows the same two numbers on the line before.
// With COUNT 0 the files themselves are read as they are: that replays a saved case.

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "common/file.h"
#include "tests/support/model_mutator.h"

namespace {

int Fail(const char* path, const absl::Status& status) {
  std::fprintf(stderr, "%s: %s\n", path, status.ToString().c_str());
  return 1;
}

int Replay(const char* path) {
  const auto file = lathe::MappedFile::Open(path);
  if (!file.ok()) return Fail(path, file.status());
  const absl::Status status = lathe::CheckMutatedModel((*file)->bytes());
  return status.ok() ? 0 : Fail(path, status);
}

int Fuzz(const char* path, long count, uint32_t seed) {
  auto mutator = lathe::ModelMutator::Open(path, seed);
  if (!mutator.ok()) return Fail(path, mutator.status());
  for (long i = 0; i < count; ++i) {
    if (i % 1000 == 0) std::printf("%s: seed %u, mutation %ld of %ld\n", path, seed, i, count);
    const absl::Status status = lathe::CheckMutatedModel((*mutator)->Next());
    if (!status.ok()) {
      std::fprintf(stderr, "mutation %ld of seed %u\n", i, seed);
      return Fail(path, status);
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fputs("usage: fuzz_model COUNT SEED FILE...\n", stderr);
    return 2;
  }
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const long count = std::atol(argv[1]);
  const auto seed = static_cast<uint32_t>(std::atol(argv[2]));
  for (int i = 3; i < argc; ++i) {
    const int result = count == 0 ? Replay(argv[i]) : Fuzz(argv[i], count, seed);
    if (result != 0) return result;
  }
  return 0;
}

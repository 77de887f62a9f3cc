// Shows that a ThreadSanitizer build tells a race of ours from the synchronization inside oneTBB, which it cannot see:
//   tsan_selftest clean    ends with 0
//   tsan_selftest racy     is reported (exit code 66)

#include <cstdint>
#include <string>
#include <vector>

#include "common/parallel.h"

int main(int argc, char** argv) {
  const bool racy = argc > 1 && std::string(argv[1]) == "racy";
  std::vector<uint64_t> parts(1000);
  uint64_t sum = 0;
  // Two threads also where the machine has one core.
  lathe::WithThreads(2, [&] {
    lathe::ParallelFor(parts.size(), [&](size_t i) {
      for (uint64_t k = 0; k < 20'000; ++k) parts[i] += k % (i + 2);
      if (racy) sum += parts[i];
    });
  });
  if (!racy) {
    for (uint64_t part : parts) sum += part;
  }
  return sum == 0 ? 1 : 0;
}

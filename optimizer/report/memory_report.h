#ifndef LATHE_OPTIMIZER_REPORT_MEMORY_REPORT_H_
#define LATHE_OPTIMIZER_REPORT_MEMORY_REPORT_H_

#include <cstdint>
#include <optional>

namespace lathe {

// What running a file takes, bytes.
struct MemoryOfModel {
  // Heap held once the file was loaded and has run: packed weights, tensor arena, the runtime's own structures. The
  // mapped file is not part of it.
  uint64_t heap_bytes = 0;
  // The most that activations take at one time, memory being reused as soon as the last reader has run; from the graph.
  // No runtime's arena is smaller.
  uint64_t arena_bytes = 0;
  // How far loading and the first runs raised the resident size of the process, pages of the mapped file included.
  std::optional<uint64_t> peak_rss_bytes;  // absent: the kernel does not tell
};

struct MemoryReport {
  MemoryOfModel input;
  std::optional<MemoryOfModel> output;
};

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_REPORT_MEMORY_REPORT_H_

#ifndef LATHE_RUNTIME_PROCESS_MEMORY_H_
#define LATHE_RUNTIME_PROCESS_MEMORY_H_

// What this process takes, as the kernel and the allocator count it.

#include <cstdint>
#include <optional>

namespace lathe {

// Largest resident size of this process so far. Thread-safe.
uint64_t PeakRssBytes();

// What happens to memory between the constructor and a call. Meant for one thing at a time: what other threads take
// meanwhile counts too. The constructor gives free heap memory back to the kernel, so that memory taken again shows.
class MemoryMeter {
 public:
  MemoryMeter();
  // Heap bytes in use more than at the start (allocator's count, all threads); 0 if fewer.
  uint64_t HeapBytes() const;
  // How far the resident size has risen above that at the start, at most. Absent where the kernel does not let a
  // process reset its peak (/proc/self/clear_refs).
  std::optional<uint64_t> PeakRssBytes() const;

 private:
  uint64_t heap_bytes_ = 0, rss_bytes_ = 0;
  bool peak_was_reset_ = false;
};

}  // namespace lathe

#endif  // LATHE_RUNTIME_PROCESS_MEMORY_H_

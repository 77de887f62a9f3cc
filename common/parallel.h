#ifndef LATHE_COMMON_PARALLEL_H_
#define LATHE_COMMON_PARALLEL_H_

// The only include of oneTBB in the project: the ThreadSanitizer annotations below must stand at every use, because
// Debian's TBB is not instrumented and its synchronization would be invisible.

#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>
#include <tbb/partitioner.h>
#include <tbb/task_arena.h>

#include <cstddef>
#include <utility>

#if defined(__SANITIZE_THREAD__)
extern "C" void __tsan_acquire(void* address);
extern "C" void __tsan_release(void* address);
#define LATHE_TSAN_ACQUIRE(address) __tsan_acquire(address)
#define LATHE_TSAN_RELEASE(address) __tsan_release(address)
#else
#define LATHE_TSAN_ACQUIRE(address) static_cast<void>(address)
#define LATHE_TSAN_RELEASE(address) static_cast<void>(address)
#endif

namespace lathe {

// Calls body(begin, end) for disjoint ranges that cover [0, count), in parallel; returns when all are done. Ranges are
// at most `grain` long and do not depend on the number of threads, so a reduction over ranges in index order gives the
// same bits for any thread count. `body` must not throw. REQUIRES: grain > 0.
template <typename Body>
void ParallelForRanges(size_t count, size_t grain, Body&& body) {
  if (count == 0) return;
  int start = 0, done = 0;  // addresses for the annotations only
  LATHE_TSAN_RELEASE(&start);
  const size_t blocks = (count + grain - 1) / grain;
  tbb::parallel_for(
      tbb::blocked_range<size_t>(0, blocks, 1),
      [&](const tbb::blocked_range<size_t>& range) {
        LATHE_TSAN_ACQUIRE(&start);
        for (size_t block = range.begin(); block != range.end(); ++block) {
          const size_t begin = block * grain;
          body(begin, begin + grain < count ? begin + grain : count);
        }
        LATHE_TSAN_RELEASE(&done);
      },
      tbb::simple_partitioner());
  LATHE_TSAN_ACQUIRE(&done);
}

// Calls body(i) for every i in [0, count), in parallel.
template <typename Body>
void ParallelFor(size_t count, Body&& body) {
  ParallelForRanges(count, 1, [&](size_t begin, size_t end) {
    for (size_t i = begin; i != end; ++i) body(i);
  });
}

// Runs `work` so that the loops above use at most `threads` threads. REQUIRES: threads >= 1.
template <typename Work>
auto WithThreads(int threads, Work&& work) {
  tbb::task_arena arena(threads);
  return arena.execute(std::forward<Work>(work));
}

}  // namespace lathe

#endif  // LATHE_COMMON_PARALLEL_H_

#ifndef LATHE_RUNTIME_FIND_RANGE_H_
#define LATHE_RUNTIME_FIND_RANGE_H_

#include "absl/types/span.h"
#include "optimizer/passes/ranges.h"

namespace lathe {

// Smallest and largest value, at memory speed. False when a value is NaN or infinite (`range` is then unspecified).
// REQUIRES: !values.empty().
bool FindRange(absl::Span<const float> values, TensorRange* range);

// The same, and widens each of `channels` by the values of its channel: values[row * channels.size() + channel].
// A channel that starts as {infinity, -infinity} ends as the range of its values. On false `channels` are unspecified.
// REQUIRES: values.size() is a multiple of channels.size(), which is in [1, kChannelsMax]; !values.empty().
bool FindChannelRanges(absl::Span<const float> values, absl::Span<TensorRange> channels, TensorRange* range);

// What fits the first-level cache twice: minima and maxima of a row. More channels are not worth telling apart.
inline constexpr size_t kChannelsMax = 4096;

}  // namespace lathe

#endif  // LATHE_RUNTIME_FIND_RANGE_H_

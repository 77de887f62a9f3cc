#include "runtime/sample_subset.h"

#include <algorithm>
#include <mutex>
#include <random>
#include <utility>

namespace lathe {

namespace {

class StreamedSubset : public SampleSource {
 public:
  StreamedSubset(SampleSource& source, std::vector<size_t> indices) : source_(source), indices_(std::move(indices)) {
    labels_ = source.labels();
  }

  absl::StatusOr<bool> Next(Sample* sample) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    LATHE_ASSIGN_OR_RETURN(const bool more, Advance());
    if (!more) return false;
    ++at_;
    return source_.Next(sample);
  }
  absl::StatusOr<bool> Skip() override {
    const std::lock_guard<std::mutex> lock(mutex_);
    LATHE_ASSIGN_OR_RETURN(const bool more, Advance());
    if (!more) return false;
    ++at_;
    return source_.Skip();
  }
  absl::Status Rewind() override {
    const std::lock_guard<std::mutex> lock(mutex_);
    next_ = at_ = 0;
    return source_.Rewind();
  }
  size_t size() const override { return indices_.size(); }
  bool synthetic() const override { return source_.synthetic(); }

 private:
  // Passes over what is not chosen.
  absl::StatusOr<bool> Advance() {
    if (next_ == indices_.size()) return false;
    for (; at_ < indices_[next_]; ++at_) {
      LATHE_ASSIGN_OR_RETURN(const bool more, source_.Skip());
      if (!more) return false;
    }
    ++next_;
    return true;
  }

  SampleSource& source_;
  const std::vector<size_t> indices_;
  std::mutex mutex_;  // guards what follows, and the order of calls to the source
  size_t next_ = 0;   // in indices_
  size_t at_ = 0;     // how many samples of the source have passed
};

class KeptSamples : public SampleSource {
 public:
  KeptSamples(std::vector<Sample> samples, const SampleSource& source)
      : samples_(std::move(samples)), synthetic_(source.synthetic()) {
    labels_ = source.labels();
  }

  absl::StatusOr<bool> Next(Sample* sample) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (next_ == samples_.size()) return false;
    *sample = samples_[next_++];
    return true;
  }
  absl::StatusOr<bool> Skip() override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (next_ == samples_.size()) return false;
    ++next_;
    return true;
  }
  absl::Status Rewind() override {
    const std::lock_guard<std::mutex> lock(mutex_);
    next_ = 0;
    return absl::OkStatus();
  }
  size_t size() const override { return samples_.size(); }
  bool synthetic() const override { return synthetic_; }

 private:
  const std::vector<Sample> samples_;
  const bool synthetic_;
  std::mutex mutex_;  // guards next_
  size_t next_ = 0;
};

uint64_t BytesOf(const Sample& sample) {
  uint64_t bytes = sample.label.size();
  for (const std::vector<uint8_t>& input : sample.inputs) bytes += input.size();
  return bytes;
}

}  // namespace

std::vector<bool> DrawSamples(size_t count, uint64_t seed, size_t wanted) {
  std::vector<bool> chosen(count, wanted >= count);
  if (wanted >= count) return chosen;
  // Floyd's algorithm: a uniform choice without a list of all samples. The remainder of a 64-bit number is uniform
  // enough and the same everywhere, which std::uniform_int_distribution is not.
  std::mt19937_64 random(seed);
  for (size_t last = count - wanted; last < count; ++last) {
    const size_t drawn = random() % (last + 1);
    chosen[chosen[drawn] ? last : drawn] = true;
  }
  return chosen;
}

SampleSplit SplitSamples(size_t count, uint64_t seed, size_t held_back_max) {
  SampleSplit split;
  const size_t wanted =
      count < 16 ? 0 : std::min(std::max({count / 5, std::min<size_t>(count / 3, 20), size_t{8}}), held_back_max);
  const std::vector<bool> held_back = DrawSamples(count, seed, wanted);
  for (size_t i = 0; i < count; ++i) (held_back[i] ? split.held_back : split.calibration).push_back(i);
  return split;
}

absl::StatusOr<std::unique_ptr<SampleSource>> SelectSamples(SampleSource& source, std::vector<size_t> indices,
                                                            uint64_t bytes_max) {
  auto streamed = std::make_unique<StreamedSubset>(source, std::move(indices));
  LATHE_RETURN_IF_ERROR(streamed->Rewind());
  std::vector<Sample> kept;
  while (kept.size() < streamed->size()) {
    Sample sample;
    LATHE_ASSIGN_OR_RETURN(const bool more, streamed->Next(&sample));
    // All samples are as large as the first one.
    if (!more || BytesOf(sample) * streamed->size() > bytes_max) break;
    kept.push_back(std::move(sample));
  }
  if (kept.size() == streamed->size()) return std::make_unique<KeptSamples>(std::move(kept), source);
  LATHE_RETURN_IF_ERROR(streamed->Rewind());
  return std::unique_ptr<SampleSource>(std::move(streamed));
}

}  // namespace lathe

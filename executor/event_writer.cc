#include "executor/event_writer.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "common/build_id.h"

namespace lathe {
namespace {

constexpr int64_t kSamplesIntervalMs = 500;

int64_t NowMs() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

}  // namespace

void EventWriter::Hello() {
  internal::v1::ExecutorEvent event;
  event.mutable_hello()->set_build_id(std::string(BuildId()));
  std::lock_guard lock(mutex_);
  Send(event);
}

void EventWriter::BeginPhase(const std::string& phase, double from, double to, const std::string& pass) {
  std::lock_guard lock(mutex_);
  phase_ = phase;
  pass_ = pass;
  from_ = from;
  to_ = to;
  sent_at_ms_ = NowMs();
  Send(ProgressEvent(from));
}

void EventWriter::Samples(uint64_t done, uint64_t total) {
  std::lock_guard lock(mutex_);
  const int64_t now = NowMs();
  if (now - sent_at_ms_ < kSamplesIntervalMs || total == 0) return;
  sent_at_ms_ = now;
  const double share = static_cast<double>(done) / static_cast<double>(total);
  internal::v1::ExecutorEvent event = ProgressEvent(from_ + (to_ - from_) * share);
  event.mutable_progress()->set_samples_done(done);
  event.mutable_progress()->set_samples_total(total);
  Send(event);
}

internal::v1::ExecutorEvent EventWriter::ProgressEvent(double fraction) {
  sent_ = std::max(sent_, fraction);
  internal::v1::ExecutorEvent event;
  event.mutable_progress()->set_phase(phase_);
  event.mutable_progress()->set_pass(pass_);
  event.mutable_progress()->set_fraction(sent_);
  return event;
}

void EventWriter::Send(const internal::v1::ExecutorEvent& event) {
  std::string message = event.SerializeAsString();
  const auto size = static_cast<uint32_t>(message.size());
  std::string frame;
  for (int shift = 0; shift < 32; shift += 8) frame.push_back(static_cast<char>((size >> shift) & 0xff));
  frame += message;
  size_t written = 0;
  while (written < frame.size()) {
    const ssize_t count = write(fd_, frame.data() + written, frame.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    written += static_cast<size_t>(count);
  }
}

}  // namespace lathe

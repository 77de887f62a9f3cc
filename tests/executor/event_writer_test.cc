#include "executor/event_writer.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>

#include "common/build_id.h"
#include "executor/child_streams.h"

namespace lathe {
namespace {

std::vector<internal::v1::ExecutorEvent> Drain(int fd) {
  std::array<char, 65536> bytes;
  const ssize_t count = read(fd, bytes.data(), bytes.size());
  EventDecoder decoder;
  decoder.Append(std::string_view(bytes.data(), static_cast<size_t>(count)));
  std::vector<internal::v1::ExecutorEvent> events;
  while (true) {
    const auto event = decoder.Next();
    if (!event.ok() || !event->has_value()) return events;
    events.push_back(**event);
  }
}

TEST(EventWriterTest, ParentReadsWhatTheChildWrote) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  EventWriter writer(ends[1]);
  writer.Hello();
  writer.BeginPhase("calibrate", 0.5, 1);
  writer.BeginPhase("write", 0.2, 0.3);  // never falls
  const auto events = Drain(ends[0]);
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0].hello().build_id(), BuildId());
  EXPECT_EQ(events[1].progress().phase(), "calibrate");
  EXPECT_EQ(events[1].progress().fraction(), 0.5);
  EXPECT_EQ(events[2].progress().fraction(), 0.5);
  close(ends[0]);
  close(ends[1]);
}

TEST(EventWriterTest, OutlivesItsReader) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  signal(SIGPIPE, SIG_IGN);
  EventWriter writer(ends[1]);
  writer.Hello();
  writer.BeginPhase("read", 0, 1);
  close(ends[1]);
}

}  // namespace
}  // namespace lathe

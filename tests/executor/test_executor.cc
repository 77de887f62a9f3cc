// A program that speaks the executor's protocol and misbehaves on demand: what the supervisor's tests start. The
// behaviour is the spec's test_hook.

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <iostream>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "common/build_id.h"
#include "common/file.h"
#include "executor/child_setup.h"
#include "lathe/internal/v1/executor.pb.h"

namespace lathe {
namespace {

using internal::v1::ExecutorEvent;
using internal::v1::ExecutorResult;

void SendRaw(const std::string& bytes) {
  if (write(3, bytes.data(), bytes.size()) < 0) _exit(99);
}

void Send(const ExecutorEvent& event) {
  const std::string bytes = event.SerializeAsString();
  const auto size = static_cast<uint32_t>(bytes.size());
  std::string header(4, '\0');
  for (size_t i = 0; i < 4; ++i) header[i] = static_cast<char>((size >> (8 * i)) & 0xff);
  SendRaw(header + bytes);
}

void Hello(const std::string& build_id) {
  ExecutorEvent event;
  event.mutable_hello()->set_build_id(build_id);
  Send(event);
}

void Progress(double fraction) {
  ExecutorEvent event;
  event.mutable_progress()->set_phase("calibrate");
  event.mutable_progress()->set_fraction(fraction);
  Send(event);
}

int Answer(const ExecutorResult& result, int exit_code) {
  return WriteFileAtomically("out/result.pb", result.SerializeAsString()).ok() ? exit_code : 98;
}

int Succeed(const std::string& text) {
  ExecutorResult result;
  result.set_dump_path(text);
  return Answer(result, 0);
}

int Fail() {
  ExecutorResult result;
  result.mutable_error()->set_code(3);
  result.mutable_error()->set_reason("MODEL_CORRUPT");
  result.mutable_error()->set_message("model: offset 4: not a .tflite file");
  return Answer(result, 1);
}

// Tells the test what the parent gave us.
int Environment() {
  std::string text;
  for (char** variable = environ; *variable != nullptr; ++variable) text += std::string(*variable) + "\n";
  for (int fd = 0; fd < 1024; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) text += "fd " + std::to_string(fd) + "\n";
  }
  if (getsid(0) == getpid()) text += "own session\n";
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  text += "nofile " + std::to_string(limit.rlim_cur) + "\n";
  return Succeed(text);
}

int Fill() {
  std::ofstream file("out/fill");
  const std::string block(1 << 20, 'x');
  while (file.write(block.data(), static_cast<std::streamsize>(block.size()))) {
  }
  return 97;
}

// Says that it is there, and stays.
int Hang() {
  Progress(0.5);
  while (true) pause();
}

int Stubborn() {
  signal(SIGTERM, SIG_IGN);
  return Hang();
}

// Twice the memory that the test allows, touched; below the address space that it allows.
int Hoard() {
  const std::vector<char> held(size_t{128} << 20, 'x');
  return held.back() == 'x' ? Hang() : 0;
}

// As fast as it can until an allocation fails.
int Allocate() {
  std::vector<std::vector<char>> held;
  while (true) held.emplace_back(size_t{1} << 20, 'x');
}

// Leaves a process of its group behind; the test finds its id in the answer.
int Orphan() {
  const pid_t child = fork();
  if (child == 0) Hang();
  return Succeed(std::to_string(child));
}

int Chatter() {
  for (int i = 0; i < 100'000; ++i) std::cout << "line " << i << "\n";
  std::cout << "bell \a and \xff" << std::endl;
  abort();
}

int Work() {
  Progress(0.25);
  Progress(0.125);  // falls: the parent mends it
  Progress(std::numeric_limits<double>::quiet_NaN());
  Progress(7);
  return Succeed("done");
}

int Run(const std::string& hook) {
  if (hook == "wrong-build") {
    Hello("another build");
    return Hang();
  }
  if (hook == "silent") return Succeed("");
  Hello(std::string(BuildId()));
  const std::map<std::string, std::function<int()>> hooks = {
      {"ok", Work},
      {"fail", Fail},
      {"environment", Environment},
      {"allocate", Allocate},
      {"hoard", Hoard},
      {"fill", Fill},
      {"hang", Hang},
      {"stubborn", Stubborn},
      {"orphan", Orphan},
      {"chatter", Chatter},
      {"exit7", [] { return 7; }},
      {"exit0", [] { return 0; }},
      {"contradict",
       [] {
         Fail();
         return 0;
       }},
      {"crash",
       [] {
         signal(SIGSEGV, SIG_DFL);  // AddressSanitizer would make an exit code of it
         return raise(SIGSEGV);
       }},
      {"bad-alloc",
       []() -> int {
         std::cerr << "terminate called after throwing an instance of 'std::bad_alloc'\n";
         abort();
       }},
      {"huge-event",
       [] {
         SendRaw("\xff\xff\xff\x7f");
         return Hang();
       }},
      {"garbage-event",
       [] {
         SendRaw(std::string("\x04\0\0\0\xff\xff\xff\xff", 8));
         return Hang();
       }},
      {"garbage-answer", [] { return WriteFileAtomically("out/result.pb", "\xff\xff\xff").ok() ? 0 : 96; }},
      {"link-answer", [] { return symlink("/etc/passwd", "out/result.pb"); }},
  };
  return hooks.at(hook)();
}

}  // namespace
}  // namespace lathe

int main() {
  const absl::Status setup = lathe::SetUpChild();
  if (!setup.ok()) {
    std::cerr << setup << std::endl;
    return 95;
  }
  lathe::internal::v1::ExecutorSpec spec;
  std::ifstream file("spec.pb", std::ios::binary);
  if (!spec.ParseFromIstream(&file)) return 94;
  file.close();
  return lathe::Run(spec.test_hook());
}

#include "client/cli/terminal.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <ctime>

namespace lathe {
namespace {

constexpr int kBarWidth = 30;

// timeout(1) and some shells signal the program and then its group, so that one wish arrives twice. What comes within
// this time of the first belongs to it; a later one is a person who will not wait, and ends the program.
constexpr double kSameWishSeconds = 0.5;

// The handler may only touch what exists before it is installed.
CancelToken* interrupt_token = nullptr;
double first_signal_seconds = 0;

double MonotonicSeconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);  // async-signal-safe
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

void OnSignal(int signal_number) {
  const double now = MonotonicSeconds();
  if (first_signal_seconds == 0) first_signal_seconds = now;
  interrupt_token->Cancel();
  if (now - first_signal_seconds < kSameWishSeconds) return;
  signal(signal_number, SIG_DFL);
  raise(signal_number);
}

}  // namespace

const CancelToken& InterruptToken() {
  static CancelToken* const token = [] {
    interrupt_token = new CancelToken();
    struct sigaction action {};
    action.sa_handler = OnSignal;
    // One signal's handler is not entered while another's runs: they share the time of the first.
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&action.sa_mask, number);
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaction(number, &action, nullptr);
    return interrupt_token;
  }();
  return *token;
}

ProgressLine::ProgressLine() : terminal_(isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() { Clear(); }

void ProgressLine::Show(const std::string& phase, const std::string& what, double fraction) {
  const double share = fraction > 0 ? std::min(fraction, 1.0) : 0;  // a server may send NaN
  const int percent = static_cast<int>(share * 100);
  if (terminal_) {
    const int filled = static_cast<int>(share * kBarWidth);
    const std::string bar =
        std::string(static_cast<size_t>(filled), '#') + std::string(static_cast<size_t>(kBarWidth - filled), ' ');
    fprintf(stderr, "\r[%s] %3d %% %s\033[K", bar.c_str(), percent, what.c_str());
    fflush(stderr);
    drawn_ = true;
    return;
  }
  if (phase == phase_ && percent / 10 == tenth_) return;
  phase_ = phase;
  tenth_ = percent / 10;
  fprintf(stderr, "%3d %% %s\n", percent, what.c_str());
}

void ProgressLine::Clear() {
  if (drawn_) fputs("\r\033[K", stderr);
  drawn_ = false;
}

}  // namespace lathe

#ifndef LATHE_CLIENT_CLI_TERMINAL_H_
#define LATHE_CLIENT_CLI_TERMINAL_H_

#include <string>

#include "common/cancel.h"

namespace lathe {

// Set by the first Ctrl-C, SIGTERM or SIGHUP from the first call on; the second one ends the program at once.
const CancelToken& InterruptToken();

// How far the work is, on stderr: a bar on a terminal, otherwise a line when the phase changes and after every tenth.
// One thread.
class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine();  // removes the bar
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // `fraction` is 0..1; `what` e.g. "calibrate 12/64". Bars of equal `phase` are redrawn in place.
  void Show(const std::string& phase, const std::string& what, double fraction);
  void Clear();

 private:
  const bool terminal_;
  bool drawn_ = false;
  std::string phase_;
  int tenth_ = -1;
};

}  // namespace lathe

#endif  // LATHE_CLIENT_CLI_TERMINAL_H_

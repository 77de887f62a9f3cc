#ifndef LATHE_CLIENT_CLI_OUTPUT_H_
#define LATHE_CLIENT_CLI_OUTPUT_H_

#include <string>
#include <string_view>

#include "common/status.h"

namespace google::protobuf {
class Message;
}

namespace lathe {

// Where a command's words go. Answers go to stdout: as text, or with --json as exactly one JSON object. Everything else
// (progress, notes, errors as text) goes to stderr. One thread.
class Output {
 public:
  explicit Output(bool json) : json_(json) {}
  bool json() const { return json_; }

  // The answer of the command, in the two forms; the one that was asked for is printed. REQUIRES: called at most once.
  void Answer(const google::protobuf::Message& message, std::string_view text);
  // The same with a JSON object that is no message.
  void AnswerJson(std::string_view json, std::string_view text);

  // A line for people, to stderr.
  static void Note(std::string_view line);

  // Ends the command: prints the error, if there is one (as JSON only when there was no answer yet), and returns the
  // exit code: 0 ok; 2 flags, recipe or preset; 3 the server cannot be reached; 1 anything else.
  int Finish(const absl::Status& status) const;

 private:
  bool json_;
  bool answered_ = false;
};

// INVALID_ARGUMENT USAGE: exit code 2.
absl::Status UsageError(std::string_view message);

}  // namespace lathe

#endif  // LATHE_CLIENT_CLI_OUTPUT_H_

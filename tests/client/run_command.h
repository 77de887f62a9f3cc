#ifndef LATHE_TESTS_CLIENT_RUN_COMMAND_H_
#define LATHE_TESTS_CLIENT_RUN_COMMAND_H_

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "tests/support/shared_dir.h"

namespace lathe {

struct CommandResult {
  int exit_code = -1;
  std::string out, err;

  // stdout as the one JSON object that --json promises; a test failure if it is anything else.
  nlohmann::json Json() const {
    EXPECT_TRUE(nlohmann::json::accept(out)) << "stdout: " << out << "\nstderr: " << err;
    return nlohmann::json::parse(out, nullptr, false);
  }
};

inline std::string ReadText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Runs `lathe ARGUMENTS` (shell syntax) without LATHE_SERVER, unless `environment` sets it: "NAME=VALUE".
inline CommandResult RunLathe(const std::string& arguments, const std::string& environment = "") {
  const TempDir folder;
  const std::string out = folder.path() + "/out", err = folder.path() + "/err";
  const std::string command = "env -u LATHE_SERVER " + environment + " '" + getenv("LATHE_BIN_DIR") + "/lathe' " +
                              arguments + " >'" + out + "' 2>'" + err + "' </dev/null";
  const int status = system(command.c_str());
  return {.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1, .out = ReadText(out), .err = ReadText(err)};
}

}  // namespace lathe

#endif  // LATHE_TESTS_CLIENT_RUN_COMMAND_H_

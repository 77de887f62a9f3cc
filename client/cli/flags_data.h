#ifndef LATHE_CLIENT_CLI_FLAGS_DATA_H_
#define LATHE_CLIENT_CLI_FLAGS_DATA_H_

#include <CLI/CLI.hpp>

#include "client/cli/commands.h"

namespace lathe {

// --scale, --mean, --preprocessing and --samples: how the data file of a command is read.
void AddDataFlags(CLI::App* app, DataOptions* options);

}  // namespace lathe

#endif  // LATHE_CLIENT_CLI_FLAGS_DATA_H_

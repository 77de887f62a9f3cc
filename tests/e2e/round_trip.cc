// round_trip IN OUT: reads a model and writes it back, unchanged. tools/check-roundtrip runs both files on the stock
// interpreter; a program of its own because no command of `lathe` returns a model that it did not change.

#include <cstdio>

#include "common/file.h"
#include "optimizer/model/model_reader.h"
#include "optimizer/model/model_writer.h"

namespace {

absl::Status RoundTrip(const char* input, const char* output) {
  LATHE_ASSIGN_OR_RETURN(auto file, lathe::MappedFile::Open(input));
  LATHE_ASSIGN_OR_RETURN(const lathe::Model model, lathe::ReadModel(file));
  return lathe::WriteModelToFile(model, output);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: round_trip IN OUT\n", stderr);
    return 2;
  }
  const absl::Status status = RoundTrip(argv[1], argv[2]);
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s: %s\n", argv[1], status.ToString().c_str());
  return 1;
}

#ifndef LATHE_CLIENT_CLI_COMMANDS_H_
#define LATHE_CLIENT_CLI_COMMANDS_H_

// The commands of `lathe`, each with the options that main.cc parses for it. A command prints its answer to `output`
// and returns what went wrong; main turns that into the exit code. An empty `server` means: here, on this machine.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "client/cli/output.h"
#include "common/status.h"

namespace lathe {

// How a data file is read.
struct DataOptions {
  // Win over the recipe's preprocessing; the first two over the file.
  std::optional<double> scale, mean;
  std::string preprocessing_path;  // YAML or JSON; "": none
  uint64_t samples = 0;            // so many, drawn by the seed; 0: all
};

// What to do with a model; shared by optimize and jobs submit.
struct RecipeOptions {
  std::string preset;       // exactly one of
  std::string recipe_path;  // the two
  std::string calibration;  // path of a data file; "": synthetic samples
  // These win over the recipe; "", unset and false leave it as it is.
  std::string io_type;  // float32, int8, uint8, int16
  std::string effort;   // fast, balanced, best
  std::optional<double> min_sqnr_db;
  bool allow_larger = false;
  bool sensitivity = false;
  DataOptions data;
  std::string input_range;  // "LO,HI" or ""
  bool no_benchmark = false;
  std::optional<uint32_t> threads;
  uint64_t seed = 0;
};

struct OptimizeOptions {
  std::string model;
  std::string out;  // may be "" with sensitivity or dry_run: nothing is written then
  bool dry_run = false;
  std::string report_dir;
  std::string server;
  RecipeOptions recipe;
};
absl::Status Optimize(const OptimizeOptions& options, Output& output);

struct BenchmarkOptions {
  std::string model, against, server;
  std::optional<uint32_t> threads;
  uint32_t runs = 0;
  uint64_t seed = 0;
};
absl::Status Benchmark(const BenchmarkOptions& options, Output& output);

struct CompareCommandOptions {
  std::string a, b;  // the reference, and what was made from it
  std::string data;  // path of a data file; "": synthetic samples
  std::string server;
  DataOptions reading;      // without samples: as many as the executor takes
  std::string input_range;  // "LO,HI" or ""
  std::optional<uint32_t> threads;
  uint64_t seed = 0;
};
absl::Status Compare(const CompareCommandOptions& options, Output& output);

struct ModelOptions {
  std::string model, server;
};
struct InspectOptions {
  std::string model, server;
  std::string target;  // whose operator table is wanted; "": a summary of every target
};
absl::Status Inspect(const InspectOptions& options, Output& output);
struct RecommendOptions {
  std::string model, server;
  std::string target = "cpu";
  std::string data = "none";  // none, unlabelled, labelled
};
absl::Status Recommend(const RecommendOptions& options, Output& output);
absl::Status Dump(const ModelOptions& options, Output& output);

absl::Status PrintPasses(Output& output);
absl::Status PrintVersion(Output& output);

struct SubmitOptions {
  std::string server;
  std::string model;  // a file, which is uploaded, or an artifact
  std::string against;
  bool benchmark = false;  // kind of job: benchmark instead of optimize
  uint32_t runs = 0;
  std::string job_id, request_id;
  std::vector<std::string> labels;  // KEY=VALUE
  RecipeOptions recipe;
};
absl::Status SubmitJob(const SubmitOptions& options, Output& output);

struct NameOptions {
  std::string server;
  std::string name;  // of a job or artifact; its last part is enough
};
struct ListOptions {
  std::string server;
  std::vector<std::string> states;  // jobs
  std::string kind;                 // artifacts
  uint32_t limit = 50;
};
absl::Status ListJobs(const ListOptions& options, Output& output);
absl::Status GetJob(const NameOptions& options, Output& output);
// Both follow a job to its end and fail when it does; Watch prints what happens, and Ctrl-C only detaches.
absl::Status WatchJob(const NameOptions& options, Output& output);
absl::Status WaitForJob(const NameOptions& options, Output& output);
absl::Status CancelJob(const NameOptions& options, Output& output);
absl::Status RetryJob(const NameOptions& options, Output& output);
absl::Status DeleteJob(const NameOptions& options, Output& output);

struct PutOptions {
  std::string server, path;
  std::string kind;  // model, dataset, blob; "": by the file's ending
};
struct DownloadOptions {
  std::string server, name, out;
};
absl::Status PutArtifact(const PutOptions& options, Output& output);
absl::Status DownloadArtifact(const DownloadOptions& options, Output& output);
absl::Status StatArtifact(const NameOptions& options, Output& output);
absl::Status ListArtifacts(const ListOptions& options, Output& output);
absl::Status DeleteArtifact(const NameOptions& options, Output& output);

}  // namespace lathe

#endif  // LATHE_CLIENT_CLI_COMMANDS_H_

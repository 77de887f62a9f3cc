// The `lathe` command: flags and subcommands. What they do stands in one file each (commands.h).

#include <CLI/CLI.hpp>
#include <csignal>
#include <functional>
#include <string_view>

#include "client/cli/commands.h"
#include "client/cli/flags_data.h"
#include "client/cli/flags_evaluate.h"
#include "client/cli/terminal.h"

namespace lathe {
namespace {

// All options of all commands; only those of the chosen one are filled.
struct Options {
  bool json = false;
  OptimizeOptions optimize;
  BenchmarkOptions benchmark;
  CompareCommandOptions compare;
  EvaluateOptions evaluate;
  ModelOptions model;
  InspectOptions inspect;
  RecommendOptions recommend;
  SubmitOptions submit;
  NameOptions name;
  ListOptions list;
  PutOptions put;
  DownloadOptions download;
};

constexpr char kOptimizeExamples[] = R"(Examples:
  Int8 inside, float inputs and outputs; samples.npz holds 100 or so unlabelled inputs:
    lathe optimize model.tflite -o small.tflite --preset int8 --calibration samples.npz
  For an NPU, a microcontroller or any target that takes integers only; nothing stays float, or the job fails:
    lathe optimize model.tflite -o npu.tflite --preset int8 --io-type int8 --calibration samples.npz
  Keep single operators exact: at least 30 dB on every output, wider types for the worst operators:
    lathe optimize model.tflite -o good.tflite --preset int8 --min-sqnr 30 --calibration samples.npz
  Settings for chosen operators from a recipe file, and which operators its rules take:
    lathe optimize model.tflite --recipe recipe.yaml --dry-run)";

using Command = std::function<absl::Status(Output&)>;

// A subcommand that runs `command` when it is chosen.
CLI::App* Add(CLI::App& parent, const std::string& name, const std::string& description, Options& options,
              Command* chosen, Command command) {
  CLI::App* app = parent.add_subcommand(name, description);
  app->add_flag("--json", options.json, "Print one JSON object on stdout");
  app->callback([chosen, command = std::move(command)] { *chosen = command; });
  return app;
}

void AddServer(CLI::App* app, std::string* server, bool required) {
  app->add_option("--server", *server, "HOST:PORT of a lathe-server")->envname("LATHE_SERVER")->required(required);
}

void AddThreads(CLI::App* app, std::optional<uint32_t>* threads) {
  app->add_option("--threads", *threads, "Threads to use; default: all cores")->check(CLI::Range(1, 1024));
}

void AddTarget(CLI::App* app, std::string* target, const std::string& what) {
  app->add_option("--target", *target, "cpu, gpu, edge-tpu, microcontroller: " + what)
      ->check(CLI::IsMember({"cpu", "gpu", "edge-tpu", "microcontroller"}));
}

void AddRecipe(CLI::App* app, RecipeOptions* options) {
  CLI::Option* preset = app->add_option("--preset", options->preset, "What to do, by name; see `lathe passes`");
  app->add_option("--recipe", options->recipe_path, "What to do, as a YAML or JSON file")->excludes(preset);
  app->add_option("--calibration", options->calibration,
                  "Data (.npz, .npy, Parquet, Arrow) to calibrate and to compare with");
  AddDataFlags(app, &options->data);
  app->add_option("--io-type", options->io_type, "float32 (default), int8, uint8, int16: type of inputs and outputs");
  app->add_option("--effort", options->effort, "fast, balanced (default), best: how much to try for accuracy");
  app->add_option("--min-sqnr", options->min_sqnr_db,
                  "dB that every output must reach on held-back samples; operators fall back to wider types");
  app->add_flag("--sensitivity", options->sensitivity, "Measure what each operator adds to the error");
  app->add_flag("--allow-larger", options->allow_larger, "Hand out a result that is larger than the model, too");
  app->add_option("--input-range", options->input_range, "LO,HI of synthetic samples; default 0,1");
  AddAccuracyFlags(app, options);
  app->add_flag("--no-benchmark", options->no_benchmark, "Skip latency and compressed size");
  AddThreads(app, &options->threads);
  app->add_option("--seed", options->seed, "Seed of synthetic samples; default 0");
}

void AddModelCommands(CLI::App& root, Options& o, Command* chosen) {
  CLI::App* optimize = Add(root, "optimize", "Make a model smaller and faster, and say what it costs", o, chosen,
                           [&o](Output& output) { return Optimize(o.optimize, output); });
  optimize->add_option("MODEL", o.optimize.model, "A .tflite file")->required();
  optimize->add_option("-o,--output", o.optimize.out, "The file to write; optional with --sensitivity and --dry-run");
  optimize->add_flag("--dry-run", o.optimize.dry_run, "Only list the operators that the rules of the recipe take");
  AddRecipe(optimize, &o.optimize.recipe);
  optimize->add_option("--report", o.optimize.report_dir, "Folder for report.json and report.html");
  optimize->footer(kOptimizeExamples);
  AddServer(optimize, &o.optimize.server, false);

  CLI::App* benchmark = Add(root, "benchmark", "Measure the latency of a model, or of two side by side", o, chosen,
                            [&o](Output& output) { return Benchmark(o.benchmark, output); });
  benchmark->add_option("MODEL", o.benchmark.model, "A .tflite file")->required();
  benchmark->add_option("--against", o.benchmark.against, "Another one, measured interleaved");
  AddThreads(benchmark, &o.benchmark.threads);
  benchmark
      ->add_option("--runs", o.benchmark.runs,
                   "Runs of each model; default: up to 50 or 100 ms, of two models until the ranking is clear")
      ->check(CLI::Range(1, 10'000));
  benchmark->add_flag("--profile", o.benchmark.profile, "Say where the time goes, operator by operator");
  benchmark->add_option("--data", o.benchmark.data, "Data whose first sample is run; default: a synthetic sample");
  AddDataFlags(benchmark, &o.benchmark.reading);
  benchmark->add_option("--input-range", o.benchmark.input_range, "LO,HI of the synthetic sample; default 0,1");
  benchmark->add_option("--seed", o.benchmark.seed, "Seed of the inputs; default 0");
  AddServer(benchmark, &o.benchmark.server, false);

  CLI::App* evaluate =
      Add(root, "evaluate", "Measure how good a model's answers are, or two models' on the same samples", o, chosen,
          [&o](Output& output) { return Evaluate(o.evaluate, output); });
  AddEvaluateFlags(evaluate, &o.evaluate);
  AddThreads(evaluate, &o.evaluate.threads);
  AddServer(evaluate, &o.evaluate.server, false);

  CLI::App* inspect = Add(root, "inspect", "Say what is in a model", o, chosen,
                          [&o](Output& output) { return Inspect(o.inspect, output); });
  inspect->add_option("MODEL", o.inspect.model, "A .tflite file")->required();
  AddTarget(inspect, &o.inspect.target, "Say for each operator whether it runs there, and why not");
  AddServer(inspect, &o.inspect.server, false);

  CLI::App* recommend = Add(root, "recommend", "Say which recipes suit a model, and what they would give", o, chosen,
                            [&o](Output& output) { return Recommend(o.recommend, output); });
  recommend->add_option("MODEL", o.recommend.model, "A .tflite file")->required();
  AddTarget(recommend, &o.recommend.target, "what the result is to run on; default cpu");
  recommend->add_option("--data", o.recommend.data, "none (default), unlabelled, labelled: the samples at hand")
      ->check(CLI::IsMember({"none", "unlabelled", "labelled"}));
  AddServer(recommend, &o.recommend.server, false);

  CLI::App* dump = Add(root, "dump", "Print a model as text, one operator a line", o, chosen,
                       [&o](Output& output) { return Dump(o.model, output); });
  dump->add_option("MODEL", o.model.model, "A .tflite file")->required();
}

void AddCompareCommand(CLI::App& root, Options& o, Command* chosen) {
  CLI::App* compare = Add(root, "compare", "Say where and why a quantized model errs, operator by operator", o, chosen,
                          [&o](Output& output) { return Compare(o.compare, output); });
  compare->add_option("A", o.compare.a, "The reference, usually the float model: a .tflite file")->required();
  compare->add_option("B", o.compare.b, "What was made from it, by any program")->required();
  compare->add_option("--data", o.compare.data, "Data to run both on; default: synthetic samples");
  AddDataFlags(compare, &o.compare.reading);
  compare->add_option("--input-range", o.compare.input_range, "LO,HI of synthetic samples; default 0,1");
  AddThreads(compare, &o.compare.threads);
  compare->add_option("--seed", o.compare.seed, "Seed of synthetic samples; default 0");
  AddServer(compare, &o.compare.server, false);
}

// A command about one job or artifact.
void AddNamed(CLI::App& parent, const std::string& name, const std::string& description, const std::string& what,
              Options& o, Command* chosen, absl::Status (*run)(const NameOptions&, Output&)) {
  CLI::App* app = Add(parent, name, description, o, chosen, [&o, run](Output& output) { return run(o.name, output); });
  app->add_option(what, o.name.name, "Its name, or the last part of it")->required();
  AddServer(app, &o.name.server, true);
}

void AddJobCommands(CLI::App& root, Options& o, Command* chosen) {
  CLI::App& jobs = *root.add_subcommand("jobs", "Jobs on a server");
  jobs.require_subcommand(1);
  CLI::App* submit = Add(jobs, "submit", "Submit a job and print its name", o, chosen,
                         [&o](Output& output) { return SubmitJob(o.submit, output); });
  submit->add_option("MODEL", o.submit.model, "A .tflite file, or the name of an artifact")->required();
  submit->add_option("--kind", o.submit.kind, "optimize (default), benchmark or evaluate")
      ->check(CLI::IsMember({"optimize", "benchmark", "evaluate"}));
  AddDataFlag(submit, &o.submit.data);
  AddRecipe(submit, &o.submit.recipe);
  submit->add_option("--against", o.submit.against, "Benchmarks and evaluations: another model");
  submit->add_option("--runs", o.submit.runs, "Benchmarks: runs of each model")->check(CLI::Range(1, 10'000));
  submit->add_flag("--profile", o.submit.profile, "Benchmarks: say where the time goes");
  submit->add_option("--job-id", o.submit.job_id, "Last part of the job's name");
  submit->add_option("--request-id", o.submit.request_id, "The same id again submits nothing new");
  submit->add_option("--label", o.submit.labels, "KEY=VALUE; may be repeated");
  AddServer(submit, &o.submit.server, true);

  CLI::App* list = Add(jobs, "list", "List jobs, newest first", o, chosen,
                       [&o](Output& output) { return ListJobs(o.list, output); });
  list->add_option("--state", o.list.states, "Only jobs in this state; may be repeated");
  list->add_option("--limit", o.list.limit, "At most so many; default 50")->check(CLI::Range(1, 1'000'000));
  AddServer(list, &o.list.server, true);

  AddNamed(jobs, "get", "Print a job", "JOB", o, chosen, GetJob);
  AddNamed(jobs, "watch", "Follow a job to its end, showing progress", "JOB", o, chosen, WatchJob);
  AddNamed(jobs, "wait", "Wait for the end of a job", "JOB", o, chosen, WaitForJob);
  AddNamed(jobs, "cancel", "Ask a job to stop", "JOB", o, chosen, CancelJob);
  AddNamed(jobs, "retry", "Submit an ended job again", "JOB", o, chosen, RetryJob);
  AddNamed(jobs, "delete", "Forget an ended job", "JOB", o, chosen, DeleteJob);
}

void AddArtifactCommands(CLI::App& root, Options& o, Command* chosen) {
  CLI::App& artifacts = *root.add_subcommand("artifacts", "Files on a server");
  artifacts.require_subcommand(1);
  CLI::App* put = Add(artifacts, "put", "Upload a file and print its name", o, chosen,
                      [&o](Output& output) { return PutArtifact(o.put, output); });
  put->add_option("FILE", o.put.path, "The file")->required();
  put->add_option("--kind", o.put.kind, "model, dataset or blob; default: by the file's ending");
  AddServer(put, &o.put.server, true);

  CLI::App* get = Add(artifacts, "get", "Download a file", o, chosen,
                      [&o](Output& output) { return DownloadArtifact(o.download, output); });
  get->add_option("ARTIFACT", o.download.name, "Its name, or its SHA-256")->required();
  get->add_option("-o,--output", o.download.out, "The file to write")->required();
  AddServer(get, &o.download.server, true);

  CLI::App* list = Add(artifacts, "list", "List files, newest first", o, chosen,
                       [&o](Output& output) { return ListArtifacts(o.list, output); });
  list->add_option("--kind", o.list.kind, "model, dataset, report, log or blob");
  list->add_option("--limit", o.list.limit, "At most so many; default 50")->check(CLI::Range(1, 1'000'000));
  AddServer(list, &o.list.server, true);

  AddNamed(artifacts, "stat", "Say what the server knows about a file", "ARTIFACT", o, chosen, StatArtifact);
  AddNamed(artifacts, "rm", "Delete a file", "ARTIFACT", o, chosen, DeleteArtifact);
}

bool HasJsonFlag(int argc, char** argv) {
  return std::any_of(argv + 1, argv + argc,
                     [](const char* argument) { return std::string_view(argument) == "--json"; });
}

int Main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);  // `lathe dump | head` ends with a write error, not with a signal
  CLI::App root("Makes LiteRT models smaller and faster, and says what it costs.", "lathe");
  root.require_subcommand(1);
  Options options;
  Command command;
  AddModelCommands(root, options, &command);
  AddCompareCommand(root, options, &command);
  Add(root, "passes", "List presets and passes", options, &command, PrintPasses);
  Add(root, "version", "Print version, build and runtime", options, &command, PrintVersion);
  AddJobCommands(root, options, &command);
  AddArtifactCommands(root, options, &command);
  // CLI11 reports every usage error, and --help, by exception.
  try {
    root.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return root.exit(help);
  } catch (const CLI::ParseError& error) {
    return Output(HasJsonFlag(argc, argv)).Finish(UsageError(absl::StrFormat("%s; see lathe --help", error.what())));
  }
  InterruptToken();  // from here on Ctrl-C is ours
  Output output(options.json);
  return output.Finish(command(output));
}

}  // namespace
}  // namespace lathe

int main(int argc, char** argv) { return lathe::Main(argc, argv); }

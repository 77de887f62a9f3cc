#include "client/cli/benchmark_table.h"

#include <algorithm>
#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/table_row.h"

namespace lathe {
namespace {

// Kernels that the table shows; the JSON answer has all.
constexpr size_t kKernelRowsMax = 15;

// "1.40x faster (1.35 to 1.45)": how often the slower one's time holds the other's. The interval of "no difference" is
// that of the output's time as a multiple of the input's.
std::string RankingText(const v1::LatencyReport& latency) {
  if (!latency.has_ratio()) return "";
  const double ratio = latency.ratio(), low = latency.ratio_low(), high = latency.ratio_high();
  if (latency.ranking() == "faster") {
    return absl::StrFormat("%.2fx faster (%.2f to %.2f)", 1 / ratio, 1 / high, 1 / low);
  }
  if (latency.ranking() == "slower") return absl::StrFormat("%.2fx slower (%.2f to %.2f)", ratio, low, high);
  if (!latency.has_ratio_high()) return "one run tells no difference";
  return absl::StrFormat("no difference (%.2fx to %.2fx the time)", low, high);
}

std::string RunsText(uint32_t runs, const v1::LatencyReport& latency) {
  return absl::StrFormat("%d runs, %d thread%s", runs, latency.threads(), latency.threads() == 1 ? "" : "s");
}

std::string MemoryRows(const v1::MemoryReport& memory) {
  std::string text = SizeRow("memory, loaded", memory.input().heap_bytes(), memory.output().heap_bytes());
  if (memory.input().has_peak_rss_bytes() && memory.output().has_peak_rss_bytes()) {
    text += SizeRow("memory, peak", memory.input().peak_rss_bytes(), memory.output().peak_rss_bytes());
  }
  return text + SizeRow("memory, activations", memory.input().arena_bytes(), memory.output().arena_bytes());
}

std::string ModelProfileText(std::string_view whose, const v1::ModelProfile& profile) {
  std::string text =
      absl::StrFormat("\nwhere the time goes%s: XNNPACK runs %d of %d operators (%s), %s; built-in kernels %s\n", whose,
                      profile.delegated_operators(), profile.operators(), Percent(profile.delegated_share()),
                      Milliseconds(profile.delegated_ms()), Milliseconds(profile.builtin_ms()));
  std::vector<const v1::KernelProfile*> kernels;
  for (const auto& kernel : profile.kernels()) kernels.push_back(&kernel);
  std::stable_sort(kernels.begin(), kernels.end(), [](const auto* a, const auto* b) { return a->ms() > b->ms(); });
  const double total = profile.delegated_ms() + profile.builtin_ms();
  for (size_t i = 0; i < std::min(kernels.size(), kKernelRowsMax); ++i) {
    const v1::KernelProfile& kernel = *kernels[i];
    const std::string index = kernel.has_index() ? absl::StrFormat("%d", kernel.index()) : "";
    absl::StrAppendFormat(&text, "  %10s %8s  operator %5s  %s%s\n", Milliseconds(kernel.ms()),
                          Percent(total > 0 ? kernel.ms() / total : 0), index, kernel.kernel(),
                          kernel.delegated() ? "" : " (built-in)");
  }
  if (kernels.size() > kKernelRowsMax) {
    absl::StrAppendFormat(&text, "  and %d more with --json\n", kernels.size() - kKernelRowsMax);
  }
  return text;
}

std::string PairTable(const v1::Report& report) {
  std::string text = Row("", "model", "against", "");
  text += SizeRow("size", report.input().bytes(), report.output().bytes());
  text += LatencyRows(report);
  const v1::LatencyReport& latency = report.latency();
  text += Row("load", Milliseconds(latency.input_load_ms()), Milliseconds(latency.output_load_ms()),
              absl::StrFormat("%d load%s each", latency.loads(), latency.loads() == 1 ? "" : "s"));
  text += Row("first run", Milliseconds(latency.input_first_run_ms()), Milliseconds(latency.output_first_run_ms()), "");
  return text;
}

std::string SingleTable(const v1::Report& report) {
  const v1::LatencyReport& latency = report.latency();
  std::string text = Row("size", BytesText(report.input().bytes()), "", "");
  text += Row("latency, median", Milliseconds(latency.input_ms()), "", "");
  if (latency.has_input_p90_ms()) text += Row("latency, p90", Milliseconds(latency.input_p90_ms()), "", "");
  if (latency.has_input_p99_ms()) text += Row("latency, p99", Milliseconds(latency.input_p99_ms()), "", "");
  text += Row("load", Milliseconds(latency.input_load_ms()), "", "");
  text += Row("first run", Milliseconds(latency.input_first_run_ms()), "", "");
  const v1::MemoryOfModel& memory = report.memory().input();
  text += Row("memory, loaded", BytesText(memory.heap_bytes()), "", "");
  if (memory.has_peak_rss_bytes()) text += Row("memory, peak", BytesText(memory.peak_rss_bytes()), "", "");
  text += Row("memory, activations", BytesText(memory.arena_bytes()), "", "");
  return text + RunsText(latency.input_runs(), latency) + "\n";
}

}  // namespace

std::string LatencyRows(const v1::Report& report) {
  const v1::LatencyReport& latency = report.latency();
  std::string text =
      Row("latency, median", Milliseconds(latency.input_ms()), Milliseconds(latency.output_ms()), RankingText(latency));
  if (latency.has_input_p90_ms() && latency.has_output_p90_ms()) {
    text += Row("latency, p90", Milliseconds(latency.input_p90_ms()), Milliseconds(latency.output_p90_ms()),
                RunsText(latency.output_runs(), latency));
  }
  if (latency.has_input_p99_ms() && latency.has_output_p99_ms()) {
    text += Row("latency, p99", Milliseconds(latency.input_p99_ms()), Milliseconds(latency.output_p99_ms()), "");
  }
  return report.has_memory() ? text + MemoryRows(report.memory()) : text;
}

std::string ProfileText(const v1::Report& report) {
  const v1::ProfileReport& profile = report.profile();
  std::string text;
  if (profile.has_input()) text += ModelProfileText(profile.has_output() ? " in the model" : "", profile.input());
  if (profile.has_output()) text += ModelProfileText(profile.has_input() ? " in the other" : "", profile.output());
  return text;
}

std::string BenchmarkTable(const v1::Report& report) {
  const bool pair = report.has_output() && report.latency().has_output_ms();
  return (pair ? PairTable(report) : SingleTable(report)) + ProfileText(report) + WarningsText(report.warnings());
}

}  // namespace lathe

#include "common/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/exposer.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <exception>
#include <map>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "common/build_id.h"

namespace lathe {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;
using Counters = prometheus::Family<prometheus::Counter>;
using Gauges = prometheus::Family<prometheus::Gauge>;
using Histograms = prometheus::Family<prometheus::Histogram>;
using LabelMap = std::map<std::string, std::string>;

constexpr size_t kLabelBytesMax = 64;
constexpr size_t kCombinationsMax = 1000;

const prometheus::Histogram::BucketBoundaries& RpcBuckets() {
  static const prometheus::Histogram::BucketBoundaries buckets{.0005, .001, .0025, .005, .01, .025, .05,
                                                               .1,    .25,  .5,    1,    2.5, 5,    10};
  return buckets;
}

const prometheus::Histogram::BucketBoundaries& JobBuckets() {
  static const prometheus::Histogram::BucketBoundaries buckets{.1, .5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600};
  return buckets;
}

// Keeps the number of time series of a family finite, whatever callers pass.
class LabelGuard {
 public:
  LabelMap Admit(LabelMap labels) {
    for (auto& [name, value] : labels) {
      if (value.size() > kLabelBytesMax) value.resize(kLabelBytesMax);
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    if (seen_.count(labels) != 0) return labels;
    if (seen_.size() < kCombinationsMax) {
      seen_.insert(labels);
      return labels;
    }
    for (auto& [name, value] : labels) value = "other";
    return labels;
  }

 private:
  std::mutex mutex_;
  std::set<LabelMap> seen_;
};

Counters& MakeCounters(prometheus::Registry& registry, const char* name, const char* help) {
  return BuildCounter().Name(name).Help(help).Register(registry);
}
Gauges& MakeGauges(prometheus::Registry& registry, const char* name, const char* help) {
  return BuildGauge().Name(name).Help(help).Register(registry);
}
Histograms& MakeHistograms(prometheus::Registry& registry, const char* name, const char* help) {
  return BuildHistogram().Name(name).Help(help).Register(registry);
}

}  // namespace

struct Metrics::Families : public prometheus::Collectable {
  std::shared_ptr<prometheus::Registry> registry = std::make_shared<prometheus::Registry>();
  Counters& rpc_requests = MakeCounters(*registry, "lathe_rpc_requests_total", "Finished RPCs by code");
  Histograms& rpc_duration = MakeHistograms(*registry, "lathe_rpc_duration_seconds", "Duration of RPCs");
  prometheus::Gauge& rpc_in_flight = MakeGauges(*registry, "lathe_rpc_in_flight", "RPCs that are running").Add({});
  Counters& jobs_submitted = MakeCounters(*registry, "lathe_jobs_submitted_total", "Jobs accepted");
  Counters& jobs_finished = MakeCounters(*registry, "lathe_jobs_finished_total", "Jobs that reached a final state");
  prometheus::Gauge& queue_depth = MakeGauges(*registry, "lathe_queue_depth", "Jobs that wait").Add({});
  prometheus::Gauge& jobs_running = MakeGauges(*registry, "lathe_jobs_running", "Jobs that run").Add({});
  Histograms& queue_wait =
      MakeHistograms(*registry, "lathe_job_queue_wait_seconds", "Time from submission to the first claim");
  Histograms& run_seconds = MakeHistograms(*registry, "lathe_job_run_seconds", "Time from claim to end of an attempt");
  Counters& executor_exits = MakeCounters(*registry, "lathe_executor_exits_total", "Ends of executors by outcome");
  prometheus::Counter& upload_bytes =
      MakeCounters(*registry, "lathe_upload_bytes_total", "Artifact bytes received").Add({});
  prometheus::Counter& download_bytes =
      MakeCounters(*registry, "lathe_download_bytes_total", "Artifact bytes sent").Add({});
  LabelGuard rpc_labels, submitted_labels, finished_labels, kind_labels, outcome_labels;

  std::mutex source_mutex;
  std::function<Queue()> source;
  std::unique_ptr<prometheus::Exposer> exposer;

  // The scrape's entry: brings the queue gauges up to date first.
  std::vector<prometheus::MetricFamily> Collect() const override {
    const_cast<Families*>(this)->AskQueue();
    return registry->Collect();
  }

  void AskQueue() {
    const std::lock_guard<std::mutex> lock(source_mutex);
    if (!source) return;
    const Queue queue = source();
    queue_depth.Set(static_cast<double>(queue.queued));
    jobs_running.Set(static_cast<double>(queue.running));
  }
};

Metrics::Metrics() : families_(std::make_shared<Families>()) {
  MakeGauges(*families_->registry, "lathe_build_info", "Always 1; the labels say which build runs")
      .Add({{"version", std::string(Version())}, {"build_id", std::string(BuildId())}})
      .Set(1);
}

Metrics::~Metrics() {
  // Waits for a scrape that is running; without this the scrape could hold the last reference and end its own server.
  families_->exposer.reset();
}

void Metrics::StartRpc() { families_->rpc_in_flight.Increment(); }

void Metrics::FinishRpc(std::string_view service, std::string_view method, std::string_view code, double seconds) {
  families_->rpc_in_flight.Decrement();
  LabelMap labels = families_->rpc_labels.Admit(
      {{"service", std::string(service)}, {"method", std::string(method)}, {"code", std::string(code)}});
  families_->rpc_requests.Add(labels).Increment();
  labels.erase("code");
  families_->rpc_duration.Add(labels, RpcBuckets()).Observe(seconds);
}

void Metrics::JobSubmitted(std::string_view kind, std::string_view preset) {
  families_->jobs_submitted
      .Add(families_->submitted_labels.Admit({{"kind", std::string(kind)}, {"preset", std::string(preset)}}))
      .Increment();
}

void Metrics::JobFinished(std::string_view kind, std::string_view preset, std::string_view state,
                          std::string_view reason) {
  families_->jobs_finished
      .Add(families_->finished_labels.Admit({{"kind", std::string(kind)},
                                             {"preset", std::string(preset)},
                                             {"state", std::string(state)},
                                             {"reason", std::string(reason)}}))
      .Increment();
}

void Metrics::JobStarted(std::string_view kind, double wait_seconds) {
  families_->queue_wait.Add(families_->kind_labels.Admit({{"kind", std::string(kind)}}), JobBuckets())
      .Observe(wait_seconds);
}

void Metrics::JobRan(std::string_view kind, double run_seconds) {
  families_->run_seconds.Add(families_->kind_labels.Admit({{"kind", std::string(kind)}}), JobBuckets())
      .Observe(run_seconds);
}

void Metrics::ExecutorExited(std::string_view outcome) {
  families_->executor_exits.Add(families_->outcome_labels.Admit({{"outcome", std::string(outcome)}})).Increment();
}

void Metrics::SetQueueSource(std::function<Queue()> counts) {
  const std::lock_guard<std::mutex> lock(families_->source_mutex);
  families_->source = std::move(counts);
}

void Metrics::AddUploadBytes(uint64_t bytes) { families_->upload_bytes.Increment(static_cast<double>(bytes)); }
void Metrics::AddDownloadBytes(uint64_t bytes) { families_->download_bytes.Increment(static_cast<double>(bytes)); }

std::string Metrics::Text() const { return prometheus::TextSerializer().Serialize(families_->Collect()); }

absl::StatusOr<std::string> Metrics::Serve(const std::string& address) {
  try {
    auto exposer = std::make_unique<prometheus::Exposer>(address, 1);
    exposer->RegisterCollectable(families_);
    const std::vector<int> ports = exposer->GetListeningPorts();
    families_->exposer = std::move(exposer);
    const std::string host = address.substr(0, address.rfind(':'));
    return absl::StrFormat("%s:%d", host, ports.empty() ? 0 : ports[0]);
  } catch (const std::exception& error) {
    return MakeError(
        absl::StatusCode::kUnavailable, "LISTEN_FAILED",
        absl::StrFormat("cannot serve metrics on '%s': %s; choose another address", address, error.what()));
  }
}

}  // namespace lathe

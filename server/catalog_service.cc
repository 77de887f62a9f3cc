#include "server/catalog_service.h"

#include <string>

#include "common/build_id.h"
#include "optimizer/recipe/validate.h"
#include "server/limits.h"

namespace lathe {
namespace {

constexpr RpcName Rpc(std::string_view method) { return {"CatalogService", method}; }

void SetPreset(const PresetInfo& info, v1::Preset* preset) {
  preset->set_name(info.name);
  preset->set_description(info.description);
  preset->set_supported(info.supported);
  preset->set_needs_data(info.needs_data);
}

void SetLimits(v1::Limits* proto) {
  proto->set_model_bytes_max(limits::kModelBytesMax);
  proto->set_dataset_bytes_max(limits::kDatasetBytesMax);
  proto->set_message_bytes_max(limits::kMessageBytesMax);
  proto->set_upload_frame_bytes_max(limits::kUploadFrameBytesMax);
  proto->set_queued_jobs_max(limits::kQueuedJobsMax);
  proto->set_job_memory_bytes_max(limits::kJobMemoryBytesMax);
  proto->mutable_attempt_timeout_max()->set_seconds(limits::kAttemptTimeoutMax.count());
  proto->set_max_attempts(limits::kAttemptsMax);
  proto->set_page_size_max(limits::kPageSizeMax);
}

}  // namespace

grpc::ServerUnaryReactor* CatalogServiceImpl::ListPasses(grpc::CallbackServerContext* context,
                                                         const v1::ListPassesRequest* /*request*/,
                                                         v1::ListPassesResponse* response) {
  for (const PassInfo& info : Passes()) {
    v1::Pass* pass = response->add_passes();
    pass->set_name(info.name);
    pass->set_description(info.description);
  }
  for (const PresetInfo& info : Presets()) SetPreset(info, response->add_presets());
  return edge_.Answer(context, Rpc("ListPasses"), absl::OkStatus());
}

grpc::ServerUnaryReactor* CatalogServiceImpl::GetCapabilities(grpc::CallbackServerContext* context,
                                                              const v1::GetCapabilitiesRequest* /*request*/,
                                                              v1::Capabilities* response) {
  response->set_version(std::string(Version()));
  response->set_build_id(std::string(BuildId()));
  SetLimits(response->mutable_limits());
  for (const PresetInfo& info : Presets()) SetPreset(info, response->add_presets());
  for (const char* kind : {"optimize", "benchmark"}) response->add_job_kinds(kind);
  response->add_api_versions("lathe.v1");
  response->add_schema_versions(3);
  for (const char* format : {"npz", "npy", "parquet", "arrow"}) response->add_data_formats(format);
  return edge_.Answer(context, Rpc("GetCapabilities"), absl::OkStatus());
}

}  // namespace lathe

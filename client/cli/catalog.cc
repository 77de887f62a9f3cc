// passes and version: what this program can do.

#include <nlohmann/json.hpp>

#include "client/cli/commands.h"
#include "common/build_id.h"
#include "lathe/v1/catalog_service.pb.h"
#include "optimizer/recipe/validate.h"

namespace lathe {

absl::Status PrintPasses(Output& output) {
  v1::ListPassesResponse answer;
  std::string text = "presets\n";
  for (const PresetInfo& info : Presets()) {
    v1::Preset* preset = answer.add_presets();
    preset->set_name(info.name);
    preset->set_description(info.description);
    preset->set_supported(info.supported);
    preset->set_needs_data(info.needs_data);
    text +=
        absl::StrFormat("  %-24s %s%s\n", info.name, info.description, info.supported ? "" : " (not in this version)");
  }
  text += "\npasses\n";
  for (const PassInfo& info : Passes()) {
    v1::Pass* pass = answer.add_passes();
    pass->set_name(info.name);
    pass->set_description(info.description);
    text += absl::StrFormat("  %-24s %s\n", info.name, info.description);
  }
  output.Answer(answer, text);
  return absl::OkStatus();
}

absl::Status PrintVersion(Output& output) {
  const nlohmann::ordered_json answer = {{"version", std::string(Version())},
                                         {"build_id", std::string(BuildId())},
                                         {"runtime_version", LATHE_LITERT_VERSION}};
  output.AnswerJson(answer.dump(2),
                    absl::StrFormat("lathe %s\nbuild %s\nLiteRT %s\n", Version(), BuildId(), LATHE_LITERT_VERSION));
  return absl::OkStatus();
}

}  // namespace lathe

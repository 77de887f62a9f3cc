#include "client/cli/size_text.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/table_row.h"

namespace lathe {
namespace {

// Constants that the text shows; the JSON answer has more.
constexpr int kTensorRowsMax = 10;

void AddGroups(std::string_view title, const google::protobuf::RepeatedPtrField<v1::WeightGroup>& groups,
               std::string* text) {
  absl::StrAppendFormat(text, "\nweights by %s\n", title);
  for (const auto& group : groups) {
    absl::StrAppendFormat(text, "  %-28s %12s in %4d tensors, %s zero\n", group.name(), BytesText(group.bytes()),
                          group.tensors(), Percent(group.zero_share()));
  }
}

}  // namespace

std::string SizeText(const v1::SizeOfModel& size) {
  std::string text = absl::StrFormat("\nsize: weights %s, graph %s, metadata %s", BytesText(size.weights_bytes()),
                                     BytesText(size.graph_bytes()), BytesText(size.metadata_bytes()));
  if (size.has_gzip_bytes()) {
    absl::StrAppendFormat(&text, "; download %s%s by gzip", size.gzip_estimated() ? "about " : "",
                          BytesText(size.gzip_bytes()));
  }
  if (size.has_zstd_bytes()) absl::StrAppendFormat(&text, ", %s by zstd", BytesText(size.zstd_bytes()));
  absl::StrAppendFormat(&text, "\n%s of the weights are zero\n", Percent(size.zero_share()));
  AddGroups("operator", size.by_operator(), &text);
  AddGroups("type", size.by_type(), &text);
  if (size.tensors().empty()) return text;
  text += "\nlargest constants\n";
  for (int i = 0; i < std::min(size.tensors_size(), kTensorRowsMax); ++i) {
    const auto& tensor = size.tensors(i);
    const std::string distinct =
        tensor.has_distinct_values()
            ? absl::StrFormat("%d values, %.2f bits each", tensor.distinct_values(), tensor.entropy_bits())
            : "over 4096 values";
    absl::StrAppendFormat(&text, "  %12s  %-8s %6s zero, %s  %s\n", BytesText(tensor.bytes()), tensor.type(),
                          Percent(tensor.zero_share()), distinct, tensor.name());
  }
  return text;
}

}  // namespace lathe

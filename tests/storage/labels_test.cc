#include "storage/labels.h"

#include <gtest/gtest.h>

namespace lathe {
namespace {

TEST(LabelsTest, RoundTripsAnyText) {
  const Labels labels{{"key", "value"}, {"", ""}, {std::string("\0\x1e", 2), std::string(300, 'x')}};
  EXPECT_EQ(DecodeLabels(EncodeLabels(labels)), labels);
  EXPECT_TRUE(DecodeLabels("").empty());
}

TEST(LabelsTest, LeavesOutWhatIsCutOff) {
  const std::string bytes = EncodeLabels({{"a", "b"}, {"c", "d"}});
  for (size_t size = 0; size < bytes.size(); ++size) EXPECT_LT(DecodeLabels(bytes.substr(0, size)).size(), 2u);
  EXPECT_TRUE(DecodeLabels("\xff\xff\xff\xff").empty());
}

}  // namespace
}  // namespace lathe

#include "client/cli/size_text.h"

#include <gmock/gmock.h>

namespace lathe {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(SizeTextTest, ShowsWhereTheBytesAre) {
  v1::SizeOfModel size;
  size.set_weights_bytes(900'000);
  size.set_gzip_bytes(800'000);
  size.set_gzip_estimated(true);
  size.set_zero_share(0.5);
  auto* group = size.add_by_operator();
  group->set_name("CONV_2D");
  group->set_bytes(900'000);
  group->set_tensors(3);
  for (int i = 0; i < 2; ++i) {
    auto* tensor = size.add_tensors();
    tensor->set_name("w");
    tensor->set_type("int8");
    if (i == 0) tensor->set_distinct_values(16);
    if (i == 0) tensor->set_entropy_bits(3.5);
  }
  EXPECT_THAT(SizeText(size),
              AllOf(HasSubstr("about 800.0 kB by gzip"), HasSubstr("50.0 % of the weights are zero"),
                    HasSubstr("CONV_2D"), HasSubstr("16 values, 3.50 bits each"), HasSubstr("over 4096 values")));
}

}  // namespace
}  // namespace lathe

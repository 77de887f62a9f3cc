#include "client/cli/comparison_table.h"

#include <gmock/gmock.h>

namespace lathe {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

void AddCause(v1::Comparison& comparison, const std::string& name, const std::string& cause, double sqnr_db) {
  v1::RankedCause* row = comparison.add_ranking();
  row->set_index(static_cast<uint32_t>(comparison.ranking_size()));
  row->set_kind("CONV_2D");
  row->set_name(name);
  row->set_cause(cause);
  row->set_sqnr_db(sqnr_db);
  row->set_share(0.25);
  row->set_advice("advice for " + name);
}

TEST(ComparisonTableTest, ShowsTheTenLargestCausesWithAdvice) {
  v1::Comparison comparison;
  for (int i = 0; i < 12; ++i) AddCause(comparison, "layer" + std::to_string(i), "weight range", 20 + i);
  const std::string text = ComparisonTable(comparison);
  EXPECT_THAT(text, AllOf(HasSubstr("10 of 12"), HasSubstr("weight range"), HasSubstr("20.0 dB"), HasSubstr("25.0 %"),
                          HasSubstr("try advice for layer9"), Not(HasSubstr("layer10"))));
}

TEST(ComparisonTableTest, SaysThatFilesAreIdentical) {
  v1::Comparison comparison;
  EXPECT_THAT(ComparisonTable(comparison), Not(HasSubstr("identical")));
  comparison.set_identical(true);
  comparison.add_outputs()->set_sqnr_db(200);
  EXPECT_THAT(ComparisonTable(comparison), AllOf(HasSubstr("identical"), HasSubstr("no error at all")));
}

TEST(ComparisonTableTest, ListsOperatorsWorstFirst) {
  v1::Comparison comparison;
  for (double db : {30.0, 12.5, 200.0}) {
    v1::OperatorComparison* row = comparison.add_operators();
    row->mutable_b()->set_name("at " + std::to_string(static_cast<int>(db)));
    row->set_sqnr_db(db);
  }
  const std::string text = ComparisonTable(comparison);
  EXPECT_LT(text.find("at 12"), text.find("at 30"));
  EXPECT_THAT(text, Not(HasSubstr("at 200")));  // no error
}

TEST(ComparisonTableTest, ListsWhatHasNoCounterpart) {
  v1::Comparison comparison;
  v1::UnmatchedOperator* row = comparison.add_unmatched();
  row->set_file("b");
  row->mutable_operator_()->set_kind("TANH");
  EXPECT_THAT(ComparisonTable(comparison), HasSubstr("only in the second file: 0 TANH"));
}

// A name is cut at its beginning, and never inside a character.
TEST(ComparisonTableTest, CutsLongNamesBetweenCharacters) {
  v1::Comparison comparison;
  std::string name;
  for (int i = 0; i < 40; ++i) name += "\xc3\xa4";
  AddCause(comparison, "x" + name, "bias", 1);
  const std::string text = CausesText(comparison.ranking(), 1);
  EXPECT_THAT(text, HasSubstr("...\xc3\xa4"));
  EXPECT_THAT(text, Not(HasSubstr("...\xa4")));
}

}  // namespace
}  // namespace lathe

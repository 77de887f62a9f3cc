#include "common/utf8.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

namespace lathe {
namespace {

TEST(CleanUtf8Test, KeepsGoodTextAndMarksTheRest) {
  EXPECT_EQ(CleanUtf8("größe 模型 🙂"), "größe 模型 🙂");
  EXPECT_EQ(CleanUtf8("a\xff\xfe"
                      "b"),
            "a??b");
  EXPECT_EQ(CleanUtf8("\xc0\x80"), "??");       // overlong
  EXPECT_EQ(CleanUtf8("\xed\xa0\x80"), "???");  // surrogate
  EXPECT_EQ(CleanUtf8("\xf4\x90\x80\x80"), "????");
  EXPECT_EQ(CleanUtf8("\xe6\xa8"), "??");  // cut short
}

TEST(CleanUtf8Test, CutsAtACharactersBorder) {
  EXPECT_EQ(CleanUtf8("aé", 2), "a...");
  EXPECT_EQ(CleanUtf8("aé", 3), "aé");
  EXPECT_EQ(CleanUtf8("abc", 0), "...");
}

// The JSON library refuses what is no UTF-8: an independent judge.
TEST(CleanUtf8Test, AnyBytesBecomeUtf8) {
  std::mt19937 random(5);
  for (int i = 0; i < 20000; ++i) {
    std::string bytes(random() % 12, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random() % 4 == 0 ? random() : 0x80 + random() % 0x80);
    EXPECT_NO_THROW(nlohmann::json(CleanUtf8(bytes)).dump());
    bool is_utf8 = true;
    try {
      nlohmann::json(bytes).dump();
    } catch (const nlohmann::json::exception&) {
      is_utf8 = false;
    }
    EXPECT_EQ(is_utf8, CleanUtf8(bytes) == bytes);
  }
}

}  // namespace
}  // namespace lathe

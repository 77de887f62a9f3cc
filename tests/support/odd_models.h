#ifndef LATHE_TESTS_SUPPORT_ODD_MODELS_H_
#define LATHE_TESTS_SUPPORT_ODD_MODELS_H_

#include <functional>
#include <ostream>
#include <string>
#include <vector>

namespace lathe {

// A model file as somebody's tool once wrote it, or as somebody once damaged it: one for each oddity that files in the
// field have, and for combinations that meet in one file.
struct OddModel {
  std::string name;                    // what is odd, in lower_snake_case
  std::function<std::string()> write;  // the file's bytes; the same at every call
  // Reasons of refusals that are right for this file whatever the preset ("RUNTIME_REFUSED"). NOTHING_TO_DO and
  // LARGER_THAN_INPUT are never a defect by themselves and need not be listed. Empty: each preset succeeds or has one
  // of those two.
  std::vector<std::string> refusals = {};
  std::string refusal_names = "";  // what the text of such a refusal must name; "" for anything
  // SQNR against the input on uniform noise, in the integer presets and in float16.
  double least_db = 15, least_float16_db = 45;
};

// For the messages of GoogleTest.
inline std::ostream& operator<<(std::ostream& out, const OddModel& model) { return out << model.name; }

// At least one for each oddity; the list is the same in every build.
const std::vector<OddModel>& OddModels();

}  // namespace lathe

#endif  // LATHE_TESTS_SUPPORT_ODD_MODELS_H_

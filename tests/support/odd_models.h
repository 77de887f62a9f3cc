#ifndef LATHE_TESTS_SUPPORT_ODD_MODELS_H_
#define LATHE_TESTS_SUPPORT_ODD_MODELS_H_

#include <functional>
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
  double least_db = 15;            // SQNR against the input in the integer presets on uniform noise
};

// At least one for each oddity; the list is the same in every build.
const std::vector<OddModel>& OddModels();

}  // namespace lathe

#endif  // LATHE_TESTS_SUPPORT_ODD_MODELS_H_

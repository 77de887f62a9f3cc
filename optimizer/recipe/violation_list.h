#ifndef LATHE_OPTIMIZER_RECIPE_VIOLATION_LIST_H_
#define LATHE_OPTIMIZER_RECIPE_VIOLATION_LIST_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/status.h"

namespace lathe {

// Collects everything that is wrong with one recipe; field paths get one prefix.
class ViolationList {
 public:
  explicit ViolationList(std::string_view prefix) : prefix_(prefix) {}

  void Add(std::string_view field, std::string description) {
    violations_.push_back(
        {absl::StrFormat("%s%s%s", prefix_, prefix_.empty() ? "" : ".", field), std::move(description)});
  }

  const std::vector<FieldViolation>& violations() const { return violations_; }

 private:
  std::string prefix_;
  std::vector<FieldViolation> violations_;
};

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_RECIPE_VIOLATION_LIST_H_

#ifndef LATHE_EXECUTOR_JOB_PROFILE_H_
#define LATHE_EXECUTOR_JOB_PROFILE_H_

#include <vector>

#include "optimizer/report/report.h"
#include "runtime/profile.h"

namespace lathe {

// A profile of `model` as reports have it.
ModelProfileReport MakeProfileReport(const Model& model, const ModelProfile& profile);

// Puts the time of each operator into its row. REQUIRES: the rows are of the model that was profiled.
void FillOperatorTimes(const ModelProfileReport& profile, std::vector<OperatorReport>& rows);

}  // namespace lathe

#endif  // LATHE_EXECUTOR_JOB_PROFILE_H_

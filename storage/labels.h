#ifndef LATHE_STORAGE_LABELS_H_
#define LATHE_STORAGE_LABELS_H_

#include <string>

#include "storage/job_store.h"

namespace lathe {

// Labels as one column: each text preceded by its size as 4 little-endian bytes, so that any text may be in it.
std::string EncodeLabels(const Labels& labels);
// The labels of EncodeLabels; what is cut off or damaged is left out.
Labels DecodeLabels(const std::string& bytes);

}  // namespace lathe

#endif  // LATHE_STORAGE_LABELS_H_

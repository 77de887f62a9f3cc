#ifndef LATHE_OPTIMIZER_PASSES_GRAPH_FIGURES_H_
#define LATHE_OPTIMIZER_PASSES_GRAPH_FIGURES_H_

#include "optimizer/model/model.h"
#include "optimizer/report/report.h"

namespace lathe {

// True when XNNPACK, as the runtime links it on CPUs, is expected to take an operator that computes on integers: its
// kind is in the delegate's list for int8 and its scales are inside the delegate's bounds. Always true for operators
// that compute on float32 activations and for operators whose activations are neither: of those nothing is said here.
bool IsDelegated(const Model& model, const Subgraph& subgraph, const Op& op);

// Counts over all subgraphs.
GraphReport DescribeGraph(const Model& model);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_GRAPH_FIGURES_H_

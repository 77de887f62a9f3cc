#include "wire/size_report.h"

namespace lathe {
namespace {

double Share(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

void Fill(const WeightGroup& from, v1::WeightGroup* to) {
  to->set_name(from.name);
  to->set_bytes(from.bytes);
  to->set_weights(from.weights);
  to->set_tensors(from.tensors);
  to->set_zero_share(Share(from.zeros, from.weights));
}

void Fill(const WeightTensor& from, v1::WeightTensor* to) {
  to->set_name(from.name);
  to->set_kind(from.op);
  to->set_type(from.type);
  for (int32_t dimension : from.shape) to->add_shape(dimension);
  to->set_bytes(from.bytes);
  to->set_weights(from.weights);
  to->set_zero_share(Share(from.zeros, from.weights));
  if (from.distinct_values) to->set_distinct_values(*from.distinct_values);
  if (from.entropy_bits) to->set_entropy_bits(*from.entropy_bits);
}

}  // namespace

v1::SizeOfModel SizeOfModelToProto(const SizeOfModel& size) {
  v1::SizeOfModel proto;
  proto.set_bytes(size.bytes);
  proto.set_weights_bytes(size.weights_bytes);
  proto.set_metadata_bytes(size.metadata_bytes);
  const uint64_t content = size.weights_bytes + size.metadata_bytes;
  proto.set_graph_bytes(size.bytes > content ? size.bytes - content : 0);
  if (size.gzip_bytes) {
    proto.set_gzip_bytes(*size.gzip_bytes);
    proto.set_gzip_estimated(size.gzip_estimated);
  }
  if (size.zstd_bytes) proto.set_zstd_bytes(*size.zstd_bytes);
  proto.set_weights(size.weights);
  proto.set_zero_share(Share(size.zeros, size.weights));
  for (const WeightGroup& group : size.by_operator) Fill(group, proto.add_by_operator());
  for (const WeightGroup& group : size.by_type) Fill(group, proto.add_by_type());
  for (const WeightTensor& tensor : size.tensors) Fill(tensor, proto.add_tensors());
  return proto;
}

v1::SizeReport SizeReportToProto(const SizeReport& report) {
  v1::SizeReport proto;
  if (report.input) *proto.mutable_input() = SizeOfModelToProto(*report.input);
  if (report.output) *proto.mutable_output() = SizeOfModelToProto(*report.output);
  return proto;
}

}  // namespace lathe

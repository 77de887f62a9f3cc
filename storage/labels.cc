#include "storage/labels.h"

#include <cstdint>
#include <string_view>

namespace lathe {
namespace {

void AppendText(std::string& out, const std::string& text) {
  const uint32_t size = static_cast<uint32_t>(text.size());
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>((size >> shift) & 0xff));
  out += text;
}

bool TakeText(std::string_view& in, std::string& text) {
  if (in.size() < 4) return false;
  uint32_t size = 0;
  for (unsigned i = 0; i < 4; ++i) size |= uint32_t{static_cast<uint8_t>(in[i])} << (8 * i);
  in.remove_prefix(4);
  if (in.size() < size) return false;
  text.assign(in.substr(0, size));
  in.remove_prefix(size);
  return true;
}

}  // namespace

std::string EncodeLabels(const Labels& labels) {
  std::string bytes;
  for (const auto& [key, value] : labels) {
    AppendText(bytes, key);
    AppendText(bytes, value);
  }
  return bytes;
}

Labels DecodeLabels(const std::string& bytes) {
  Labels labels;
  std::string_view in = bytes;
  std::string key, value;
  while (TakeText(in, key) && TakeText(in, value)) labels.emplace_back(key, value);
  return labels;
}

}  // namespace lathe

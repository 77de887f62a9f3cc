#ifndef LATHE_COMMON_UTF8_H_
#define LATHE_COMMON_UTF8_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace lathe {

// `text` with every byte that is no UTF-8 as '?', cut at a character's border to at most `size_max` bytes (then "..."
// is added). Names in models are any bytes; proto3 strings, JSON and terminals must be UTF-8.
std::string CleanUtf8(std::string_view text, size_t size_max = std::string_view::npos);

}  // namespace lathe

#endif  // LATHE_COMMON_UTF8_H_

#include "wire/report_page.h"

#include <cassert>
#include <string_view>

#include "wire/json.h"

// The assembled page (wire/page/assemble.py), as bytes of this object.
asm(R"(
  .section .rodata
  .global lathe_report_page_begin
  .global lathe_report_page_end
lathe_report_page_begin:
  .incbin ")" LATHE_REPORT_PAGE_FILE R"("
lathe_report_page_end:
  .byte 0
  .text
)");
extern "C" {
extern const char lathe_report_page_begin[];
extern const char lathe_report_page_end[];
}

namespace lathe {
namespace {

constexpr std::string_view kPlace = "@REPORT@";

std::string_view Template() {
  return {lathe_report_page_begin, static_cast<size_t>(lathe_report_page_end - lathe_report_page_begin)};
}

// JSON that no tag or comment inside a string can end: '<' stands in strings alone, where \u003c means the same.
std::string InlineJson(const std::string& json) {
  std::string safe;
  safe.reserve(json.size());
  for (char c : json) {
    if (c == '<') {
      safe += "\\u003c";
    } else {
      safe += c;
    }
  }
  return safe;
}

}  // namespace

std::string ReportPage(const v1::Report& report) {
  const std::string_view page = Template();
  const size_t place = page.find(kPlace);
  assert(place != std::string_view::npos);  // assemble.py has checked it
  std::string text(page.substr(0, place));
  text += InlineJson(ToJsonText(report, -1));
  text += page.substr(place + kPlace.size());
  return text;
}

}  // namespace lathe

// A report page from any report: report.json on stdin, the page on stdout. For checks with reports that no job would
// make.
#include <google/protobuf/util/json_util.h>

#include <iostream>
#include <iterator>
#include <string>

#include "wire/report_page.h"

int main() {
  const std::string json{std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
  lathe::v1::Report report;
  const auto status = google::protobuf::util::JsonStringToMessage(json, &report);
  if (!status.ok()) {
    std::cerr << "render_page: no report: " << status.ToString() << "\n";
    return 1;
  }
  std::cout << lathe::ReportPage(report);
  return std::cout.good() ? 0 : 1;
}

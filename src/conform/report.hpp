#pragma once
// A report in the four forms in which it is wanted.

#include <string>

#include "conform/run.hpp"
#include "json/json.hpp"

namespace muster::conform {

/// Failures with what was sent, answered and due, then a line an area. Holds what came from the
/// server as it came: the caller makes it printable.
[[nodiscard]] std::string as_text(const Report& report);
/// {"checks": [{"id", "area", "section", "title", "outcome", "detail"}], "summary": {…}}
[[nodiscard]] json::Object as_json(const Report& report);
/// JUnit's XML: a suite an area; unsupported checks are skipped ones.
[[nodiscard]] std::string as_junit(const Report& report);
/// One page without scripts or outside references.
[[nodiscard]] std::string as_html(const Report& report);

}  // namespace muster::conform

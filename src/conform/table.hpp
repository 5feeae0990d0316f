#pragma once
// `@table`: checks that share one shape are written as a template and one line each.

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace muster::conform {

struct Line {
    int number = 0;  ///< in the file; of its row where a table made the line
    std::string text;
};

/// The lines of a file with every table written out, or "12: what is wrong".
[[nodiscard]] std::expected<std::vector<Line>, std::string> written_out(std::string_view text);

}  // namespace muster::conform

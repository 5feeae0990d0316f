#pragma once

#include <string>
#include <utility>
#include <vector>

namespace muster::bench {

struct Line {
    std::string name;
    bool dashed = false;
    std::vector<std::pair<double, double>> points;  ///< what is not above 0 is left out
};

/// Lines over two logarithmic axes. Lines of one name have one colour.
struct Plot {
    std::string title;
    std::string x;
    std::string y;
    std::vector<Line> lines;
};

[[nodiscard]] std::string to_svg(const Plot& plot);

}  // namespace muster::bench

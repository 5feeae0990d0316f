#include "scale/plot.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include <fmt/format.h>

namespace muster::bench {

namespace {

constexpr double kLeft = 70;
constexpr double kTop = 40;
constexpr double kWidth = 420;
constexpr double kHeight = 320;
constexpr double kLegend = 330;
constexpr double kLineHeight = 19;

constexpr std::array<std::string_view, 14> kColours{
    "#1f6fb4", "#d95f02", "#2a9d4e", "#c2274b", "#7b5ab6", "#8c6d31", "#d63ea8",
    "#6b7280", "#a0a81c", "#12a5b5", "#0b3c6f", "#f2a900", "#7fb069", "#5c1a33"};

/// Whole decades round some values, and where a value stands between them.
struct Axis {
    int first = 0;
    int last = 1;

    explicit Axis(const std::vector<double>& values) {
        if (values.empty()) return;
        const auto [least, most] = std::ranges::minmax(values);
        first = static_cast<int>(std::floor(std::log10(least)));
        last = std::max(first + 1, static_cast<int>(std::ceil(std::log10(most))));
    }
    /// 0 at the first decade, 1 at the last.
    [[nodiscard]] double share(double value) const {
        return (std::log10(value) - first) / (last - first);
    }
};

std::string decade(int exponent) {
    return fmt::format("{:.{}f}", std::pow(10, exponent), std::max(0, -exponent));
}

std::string text(double x, double y, std::string_view anchor, std::string_view words) {
    std::string escaped;
    for (const char letter : words) {
        switch (letter) {
            case '&':
                escaped += "&amp;";
                break;
            case '<':
                escaped += "&lt;";
                break;
            default:
                escaped += letter;
        }
    }
    return fmt::format("<text x=\"{:.0f}\" y=\"{:.0f}\" text-anchor=\"{}\">{}</text>\n", x, y,
                       anchor, escaped);
}

std::string stroke(double x1, double y1, double x2, double y2, std::string_view look) {
    return fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" {}/>\n", x1,
                       y1, x2, y2, look);
}

}  // namespace

std::string to_svg(const Plot& plot) {
    std::vector<double> xs;
    std::vector<double> ys;
    std::vector<std::string> names;
    bool dashed = false;
    for (const auto& line : plot.lines) {
        if (std::ranges::find(names, line.name) == names.end()) names.push_back(line.name);
        dashed = dashed || line.dashed;
        for (const auto& [x, y] : line.points) {
            if (y <= 0) continue;
            xs.push_back(x);
            ys.push_back(y);
        }
    }
    const Axis across(xs);
    const Axis up(ys);
    const auto at_x = [&](double x) { return kLeft + across.share(x) * kWidth; };
    const auto at_y = [&](double y) { return kTop + (1 - up.share(y)) * kHeight; };
    const double height = std::max(kTop + kHeight + 50,
                                   kTop + static_cast<double>(names.size() + 2) * kLineHeight + 10);

    std::string svg = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {1:.0f}\" "
        "width=\"{0:.0f}\" "
        "height=\"{1:.0f}\" font-family=\"sans-serif\" font-size=\"12\">\n"
        "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n",
        kLeft + kWidth + kLegend, height);
    svg += "<g fill=\"#333333\">\n";
    svg += text(kLeft, 22, "start", plot.title + ": " + plot.y);
    svg += text(kLeft + kWidth / 2, kTop + kHeight + 38, "middle", plot.x);
    constexpr std::string_view kGrid = "stroke=\"#dddddd\"";
    for (int i = across.first; i <= across.last; ++i) {
        const double x = at_x(std::pow(10, i));
        svg += stroke(x, kTop, x, kTop + kHeight, kGrid);
        svg += text(x, kTop + kHeight + 18, "middle", decade(i));
    }
    for (int i = up.first; i <= up.last; ++i) {
        const double y = at_y(std::pow(10, i));
        svg += stroke(kLeft, y, kLeft + kWidth, y, kGrid);
        svg += text(kLeft - 8, y + 4, "end", decade(i));
    }
    const double legend = kLeft + kWidth + 15;
    double y = kTop + 5;
    for (std::size_t i = 0; i < names.size(); ++i, y += kLineHeight) {
        svg +=
            stroke(legend, y, legend + 22, y,
                   fmt::format("stroke=\"{}\" stroke-width=\"2\"", kColours[i % kColours.size()]));
        svg += text(legend + 30, y + 4, "start", names[i]);
    }
    if (dashed) svg += text(legend, y + 12, "start", "solid: SQLite, dashed: PostgreSQL");
    svg += "</g>\n";

    for (const auto& line : plot.lines) {
        const auto index = std::ranges::find(names, line.name) - names.begin();
        const auto colour = kColours[static_cast<std::size_t>(index) % kColours.size()];
        std::string path;
        std::string dots;
        for (const auto& [x, value] : line.points) {
            if (value <= 0) continue;
            path += fmt::format("{:.1f},{:.1f} ", at_x(x), at_y(value));
            dots += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\" fill=\"{}\"/>\n",
                                at_x(x), at_y(value), colour);
        }
        svg += fmt::format(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"{}/>\n", path,
            colour, line.dashed ? " stroke-dasharray=\"6 4\"" : "");
        svg += dots;
    }
    return svg + "</svg>\n";
}

}  // namespace muster::bench

#include "conform/report.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace muster::conform {
namespace {

constexpr std::array kOutcomes{Outcome::Passed, Outcome::Wrong, Outcome::Undeclared,
                               Outcome::Unsupported};

struct AreaCount {
    std::string area;
    std::array<std::size_t, kOutcomes.size()> of{};

    [[nodiscard]] std::size_t all() const {
        std::size_t sum = 0;
        for (const std::size_t count : of) sum += count;
        return sum;
    }
    [[nodiscard]] std::size_t count(Outcome outcome) const {
        return of.at(static_cast<std::size_t>(outcome));
    }
};

/// In the order in which they were played.
std::vector<AreaCount> by_area(const Report& report) {
    std::vector<AreaCount> areas;
    for (const Result& result : report.checks) {
        if (areas.empty() || areas.back().area != result.area)
            areas.push_back({.area = result.area, .of = {}});
        ++areas.back().of.at(static_cast<std::size_t>(result.outcome));
    }
    return areas;
}

bool failed(const Result& result) {
    return result.outcome == Outcome::Wrong || result.outcome == Outcome::Undeclared;
}

double seconds(const Report& report) { return static_cast<double>(report.elapsed.count()) / 1000; }

std::string summary_line(const Report& report) {
    std::string text = fmt::format("{} checks in {:.1f} s:", report.checks.size(), seconds(report));
    for (const Outcome outcome : kOutcomes)
        text += fmt::format(" {} {}{}", report.count(outcome), word_of(outcome),
                            outcome == kOutcomes.back() ? "." : ",");
    if (report.interrupted) text += " Interrupted.";
    if (!report.reason.empty()) text += " " + report.reason;
    return text;
}

/// For XML and HTML: markup escaped, and what XML 1.0 §2.2 has no character for replaced.
std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            default: {
                const auto byte = static_cast<unsigned char>(c);
                out += byte < 0x20 && c != '\n' && c != '\t' ? '?' : c;
            }
        }
    }
    return out;
}

constexpr std::string_view kStyle =
    "body{font:15px/1.5 system-ui,sans-serif;max-width:70em;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse}td,th{padding:.2em .8em;text-align:left;"
    "border-bottom:1px solid #ccc}td.n{text-align:right}pre{white-space:pre-wrap;"
    "background:#f4f4f4;color:#222;padding:.6em}.passed{color:#176117}.wrong,.undeclared"
    "{color:#a11}.unsupported{color:#666}";

}  // namespace

std::string as_text(const Report& report) {
    std::string out;
    for (const Result& result : report.checks) {
        if (!failed(result)) continue;
        out += fmt::format("{}: {}: {}\n    {}", word_of(result.outcome), result.id, result.title,
                           result.section);
        for (const char c : result.detail.substr(result.detail.find('\n') + 1).insert(0, "\n"))
            out += c == '\n' ? std::string{"\n    "} : std::string(1, c);
        out += "\n\n";
    }
    out += fmt::format("{:<14}{:>8}{:>8}{:>12}{:>13}\n", "AREA", "PASSED", "WRONG", "UNDECLARED",
                       "UNSUPPORTED");
    for (const AreaCount& area : by_area(report))
        out += fmt::format("{:<14}{:>8}{:>8}{:>12}{:>13}\n", area.area, area.of[0], area.of[1],
                           area.of[2], area.of[3]);
    for (const std::string& path : report.left_behind)
        out += fmt::format("Left behind: {}. It could not be deleted: delete it by hand.\n", path);
    return out + summary_line(report) + "\n";
}

json::Object as_json(const Report& report) {
    json::Array checks;
    for (const Result& result : report.checks)
        checks.emplace_back(json::Object{{"id", result.id},
                                         {"area", result.area},
                                         {"section", result.section},
                                         {"title", result.title},
                                         {"outcome", word_of(result.outcome)},
                                         {"detail", result.detail}});
    json::Object summary{{"base_url", report.base_url},
                         {"checks", report.checks.size()},
                         {"elapsed_ms", report.elapsed.count()},
                         {"interrupted", report.interrupted},
                         {"reason", report.reason}};
    for (const Outcome outcome : kOutcomes) summary[word_of(outcome)] = report.count(outcome);
    json::Array left;
    for (const std::string& path : report.left_behind) left.emplace_back(path);
    summary["left_behind"] = std::move(left);
    return {{"checks", std::move(checks)}, {"summary", std::move(summary)}};
}

std::string as_junit(const Report& report) {
    std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    const std::size_t failures = report.count(Outcome::Wrong) + report.count(Outcome::Undeclared);
    out += fmt::format(
        "<testsuites name=\"conform\" tests=\"{}\" failures=\"{}\" skipped=\"{}\" "
        "time=\"{:.3f}\">\n",
        report.checks.size(), failures, report.count(Outcome::Unsupported), seconds(report));
    auto result = report.checks.begin();
    for (const AreaCount& area : by_area(report)) {
        out += fmt::format("<testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\">\n",
                           escaped(area.area), area.all(),
                           area.count(Outcome::Wrong) + area.count(Outcome::Undeclared),
                           area.count(Outcome::Unsupported));
        for (std::size_t i = 0; i < area.all(); ++i, ++result) {
            out += fmt::format("<testcase classname=\"{}\" name=\"{} {}\">", escaped(area.area),
                               escaped(result->id), escaped(result->title));
            if (failed(*result))
                out += fmt::format("<failure type=\"{}\">{}</failure>", word_of(result->outcome),
                                   escaped(result->detail));
            if (result->outcome == Outcome::Unsupported)
                out += fmt::format("<skipped message=\"{}\"/>", escaped(result->detail));
            out += "</testcase>\n";
        }
        out += "</testsuite>\n";
    }
    return out + "</testsuites>\n";
}

std::string as_html(const Report& report) {
    std::string out = fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<title>SCIM conformance of {0}</title><style>{1}</style></head><body>\n"
        "<h1>SCIM conformance</h1>\n<p>{0}</p>\n<p>{2}</p>\n<table><tr><th>Area",
        escaped(report.base_url), kStyle, escaped(summary_line(report)));
    for (const Outcome outcome : kOutcomes) out += fmt::format("<th>{}", word_of(outcome));
    out += "</tr>\n";
    for (const AreaCount& area : by_area(report)) {
        out += fmt::format("<tr><td><a href=\"#{0}\">{0}</a>", escaped(area.area));
        for (const std::size_t count : area.of) out += fmt::format("<td class=\"n\">{}", count);
        out += "</tr>\n";
    }
    out += "</table>\n";
    std::string_view area;
    for (const Result& result : report.checks) {
        if (area != result.area) {
            if (!area.empty()) out += "</table>\n";
            area = result.area;
            out += fmt::format("<h2 id=\"{0}\">{0}</h2>\n<table>\n", escaped(area));
        }
        out +=
            fmt::format("<tr><td class=\"{0}\">{0}<td>{1}<td>{2}<td>{3}", word_of(result.outcome),
                        escaped(result.id), escaped(result.section), escaped(result.title));
        if (failed(result)) out += fmt::format("<pre>{}</pre>", escaped(result.detail));
        out += "</tr>\n";
    }
    return out + "</table>\n</body></html>\n";
}

}  // namespace muster::conform

#include "cli/output.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <ostream>

#include <fmt/format.h>

#include "base/secret.hpp"
#include "cli/terminal_text.hpp"

namespace muster::cli {

namespace {

enum class Tone : std::uint8_t { Plain, Strong, Dim, Good, Warning, Bad };

// Select graphic rendition (ECMA-48 §8.3.117), by tone.
constexpr std::array<std::string_view, 6> kCodes{"", "1", "2", "32", "33", "31"};

constexpr std::array kStateTones{
    std::pair<std::string_view, Tone>{"active", Tone::Good},
    std::pair<std::string_view, Tone>{"accepted", Tone::Good},
    std::pair<std::string_view, Tone>{"ok", Tone::Good},
    std::pair<std::string_view, Tone>{"yes", Tone::Good},
    std::pair<std::string_view, Tone>{"paused", Tone::Warning},
    std::pair<std::string_view, Tone>{"warning", Tone::Warning},
    std::pair<std::string_view, Tone>{"refused", Tone::Warning},
    std::pair<std::string_view, Tone>{"inactive", Tone::Dim},
    std::pair<std::string_view, Tone>{"no", Tone::Dim},
    std::pair<std::string_view, Tone>{"expired", Tone::Bad},
    std::pair<std::string_view, Tone>{"failed", Tone::Bad},
};

Tone tone_of(Format format, std::string_view text) {
    if (format == Format::State) {
        for (const auto& [word, tone] : kStateTones) {
            if (word == text) return tone;
        }
    }
    if (format == Format::Status && !text.empty()) {
        switch (text.front()) {
            case '2':
                return Tone::Good;
            case '4':
                return Tone::Warning;
            case '5':
                return Tone::Bad;
            default:
                break;
        }
    }
    return Tone::Plain;
}

std::string coloured(std::string text, Tone tone, bool colour) {
    if (!colour || tone == Tone::Plain) return text;
    return fmt::format("\x1b[{}m{}\x1b[0m", kCodes.at(static_cast<std::size_t>(tone)), text);
}

const json::Value* member(const json::Object& object, std::string_view path) {
    const auto dot = path.find('.');
    const auto* value = object.if_contains(path.substr(0, dot));
    if (dot == std::string_view::npos || value == nullptr) return value;
    return value->is_object() ? member(value->get_object(), path.substr(dot + 1)) : nullptr;
}

std::string scalar(const json::Value& value) {
    if (const auto* text = value.if_string()) return printable({text->data(), text->size()});
    if (const auto* flag = value.if_bool()) return *flag ? "yes" : "no";
    if (value.is_null()) return {};
    return printable(json::to_text(value));
}

/// "2026-11-22T08:15:30.123Z" to the second; other text as it is.
std::string time_text(std::string text) {
    if (text.size() < 20 || text[10] != 'T' || !text.ends_with('Z')) return text;
    return fmt::format("{} {}Z", text.substr(0, 10), text.substr(11, 8));
}

std::string duration_text(const std::string& text) {
    std::uint64_t microseconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), microseconds);
    if (error != std::errc{} || end != text.data() + text.size()) return text;
    const auto milliseconds = static_cast<double>(microseconds) / 1000.0;
    if (milliseconds >= 10'000) return fmt::format("{:.1f} s", milliseconds / 1000.0);
    return fmt::format("{:.{}f} ms", milliseconds, milliseconds >= 100 ? 0 : 1);
}

bool to_the_right(Format format) { return format == Format::Number || format == Format::Duration; }

using Cells = std::vector<std::string>;

Cells cells_of(const json::Value& row, std::span<const Column> columns) {
    Cells cells;
    for (const auto& column : columns) {
        cells.push_back(row.is_object() ? text_of(row.get_object(), column) : "-");
    }
    return cells;
}

std::string row_text(const Cells& cells, std::span<const Column> columns,
                     const std::vector<std::size_t>& widths, bool title, bool colour) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const auto tone = title ? Tone::Strong : tone_of(columns[i].format, cells[i]);
        auto cell = coloured(cells[i], tone, colour);
        const auto width = display_width(cells[i]);
        const std::string gap(widths[i] > width ? widths[i] - width : 0, ' ');
        if (i > 0) line += "  ";
        if (to_the_right(columns[i].format)) {
            line += gap + cell;
        } else {
            line += cell + (i + 1 < cells.size() ? gap : "");
        }
    }
    return line + "\n";
}

void flatten(const json::Value& value, const std::string& path,
             std::vector<std::pair<std::string, std::string>>& lines) {
    const auto* object = value.if_object();
    const auto* array = value.if_array();
    if (object != nullptr && !object->empty()) {
        for (const auto& [name, inner] : *object) {
            const auto* dot = path.empty() ? "" : ".";
            flatten(inner, fmt::format("{}{}{}", path, dot, printable(name)), lines);
        }
    } else if (array != nullptr && !array->empty()) {
        for (std::size_t i = 0; i < array->size(); ++i) {
            flatten((*array)[i], fmt::format("{}[{}]", path, i), lines);
        }
    } else {
        lines.emplace_back(path, object != nullptr  ? "{}"
                                 : array != nullptr ? "[]"
                                                    : scalar(value));
    }
}

}  // namespace

std::string text_of(const json::Object& object, const Column& column) {
    const auto* value = member(object, column.member);
    auto text = value == nullptr ? std::string{} : scalar(*value);
    if (text.empty()) return "-";
    if (column.format == Format::Time) return time_text(std::move(text));
    if (column.format == Format::Duration) return duration_text(text);
    return text;
}

std::string count_of(std::int64_t count, std::string_view noun) {
    return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

void Output::value(const json::Value& value) {
    out_ << printable_json(json::to_text(value)) << '\n';
}

void Output::table(const json::Array& rows, std::span<const Column> columns, bool titles) {
    Cells title_cells;
    std::vector<std::size_t> widths;
    for (const auto& column : columns) {
        title_cells.emplace_back(column.title);
        widths.push_back(std::max(column.least_width, titles ? column.title.size() : 0));
    }
    std::vector<Cells> lines;
    for (const auto& row : rows) {
        lines.push_back(cells_of(row, columns));
        for (std::size_t i = 0; i < widths.size(); ++i) {
            widths[i] = std::max(widths[i], display_width(lines.back()[i]));
        }
    }
    if (titles) out_ << row_text(title_cells, columns, widths, true, style_.colour_out);
    for (const auto& cells : lines) {
        out_ << row_text(cells, columns, widths, false, style_.colour_out);
    }
}

void Output::page(const json::Object& object, std::span<const Column> columns) {
    std::size_t widest = 0;
    for (const auto& column : columns) widest = std::max(widest, column.title.size());
    for (const auto& column : columns) {
        auto text = text_of(object, column);
        if (text == "-") continue;
        auto title = pad_right(std::string{column.title}, widest);
        const auto tone = tone_of(column.format, text);
        out_ << coloured(std::move(title), Tone::Dim, style_.colour_out) << "  "
             << coloured(std::move(text), tone, style_.colour_out) << '\n';
    }
}

void Output::tree(const json::Value& value) {
    std::vector<std::pair<std::string, std::string>> lines;
    flatten(value, {}, lines);
    std::size_t widest = 0;
    for (const auto& [path, text] : lines) widest = std::max(widest, display_width(path));
    for (auto& [path, text] : lines) {
        out_ << coloured(pad_right(path, widest), Tone::Dim, style_.colour_out) << "  " << text
             << '\n';
    }
}

void Output::heading(std::string_view words) {
    out_ << '\n' << coloured(std::string{words}, Tone::Strong, style_.colour_out) << '\n';
}

void Output::line(std::string_view text) { out_ << printable(text) << '\n'; }

void Output::raw(std::string_view text) { out_ << text; }

void Output::say(std::string_view words) {
    if (!style_.json) err_ << printable(words) << '\n';
}

void Output::error(std::string_view message, std::string_view remedy) {
    const std::string detail = without_secrets(message);
    if (style_.json) {
        json::Object problem{{"title", "Failed"}, {"detail", detail}};
        if (!remedy.empty()) problem["remedy"] = remedy;
        err_ << printable_json(json::to_text(problem)) << '\n';
        return;
    }
    err_ << coloured("Error:", Tone::Bad, style_.colour_err) << ' ' << printable(detail) << '\n';
    if (!remedy.empty()) err_ << printable(remedy) << '\n';
}

void Output::problem(const json::Object& problem) {
    if (style_.json) {
        err_ << printable_json(json::to_text(problem)) << '\n';
        return;
    }
    const auto detail = json::string_or_empty(problem, "detail");
    error(detail.empty() ? json::string_or_empty(problem, "title") : detail,
          json::string_or_empty(problem, "remedy"));
}

}  // namespace muster::cli

#include "conform/table.hpp"

#include <cstddef>
#include <optional>
#include <span>

#include <fmt/format.h>

#include "base/result.hpp"
#include "conform/words.hpp"

namespace muster::conform {
namespace {

using Texts = std::vector<std::string>;
using Failure = std::unexpected<std::string>;

Texts cells_of(std::string_view line) {
    constexpr std::string_view kBetween = " | ";
    // The last cell may be empty, and editors cut white space at the end.
    const std::string whole = std::string{line} + " ";
    std::string_view row = whole;
    Texts cells;
    for (;;) {
        const std::size_t end = row.find(kBetween);
        cells.emplace_back(trim(row.substr(0, end)));
        if (end == std::string_view::npos) return cells;
        row.remove_prefix(end + kBetween.size());
    }
}

/// "ann, bob" as the list of resources that those variables are the ids of.
std::string resources_of(std::string_view names) {
    if (names.empty()) return R"("!none")";
    std::string list = "[";
    for (const std::string& name : split(names, ','))
        list += fmt::format(R"({{"id": "{{{}}}"}}, )", name);
    return list + R"("!any-order"])";
}

/// What stands for `<name>` in a template; nothing where the table has no such column.
std::optional<std::string> cell_for(std::string_view name, const Texts& columns,
                                    const Texts& cells) {
    const std::size_t colon = name.find(':');
    const std::string_view form =
        colon == std::string_view::npos ? std::string_view{} : name.substr(colon + 1);
    name = name.substr(0, colon);
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (columns[i] != name) continue;
        std::string cell = i < cells.size() ? cells[i] : std::string{};
        if (form.empty()) return cell;
        if (form == "resources") return resources_of(cell);
        if (form == "count") return std::to_string(cell.empty() ? 0 : split(cell, ',').size());
    }
    return std::nullopt;
}

std::string filled(std::string_view text, const Texts& columns, const Texts& cells) {
    std::string out;
    while (!text.empty()) {
        const std::size_t open = text.find('<');
        out += text.substr(0, open);
        if (open == std::string_view::npos) break;
        text.remove_prefix(open + 1);
        const std::size_t close = text.find('>');
        const auto cell = close == std::string_view::npos
                              ? std::nullopt
                              : cell_for(text.substr(0, close), columns, cells);
        out += cell ? *cell : "<";
        if (cell) text.remove_prefix(close + 1);
    }
    return out;
}

/// Writes the rows of one table out as they come.
class Table {
  public:
    explicit Table(std::string_view columns) : columns_(cells_of(columns)) {}

    void add_to_template(std::string_view line) { template_.emplace_back(line); }

    std::expected<void, std::string> row(const Line& line, std::vector<Line>& out) const {
        const Texts cells = cells_of(line.text);
        if (cells.size() > columns_.size())
            return Failure(fmt::format("{}: {} cells, but the table has {} columns", line.number,
                                       cells.size(), columns_.size()));
        for (const std::string& text : template_)
            out.push_back({line.number, filled(text, columns_, cells)});
        return {};
    }

  private:
    Texts columns_;
    Texts template_;
};

}  // namespace

std::expected<std::vector<Line>, std::string> written_out(std::string_view text) {
    std::vector<Line> out;
    std::optional<Table> table;
    bool in_rows = false;
    int number = 0;
    for (const std::string_view line : lines_of(text)) {
        ++number;
        if (line.starts_with("@table ")) {
            if (table) return Failure(fmt::format("{}: the table before has no '@end'", number));
            table.emplace(line.substr(7));
        } else if (line == "@rows" && table && !in_rows) {
            in_rows = true;
        } else if (line == "@end" && in_rows) {
            table.reset();
            in_rows = false;
        } else if (line == "@rows" || line == "@end") {
            return Failure(fmt::format("{}: '{}' without its '@table'", number, line));
        } else if (table && !in_rows) {
            table->add_to_template(line);
        } else if (in_rows && !line.starts_with('#') && !line.starts_with('@')) {
            if (!trim(line).empty()) TRY_VOID(table->row({number, std::string{line}}, out));
        } else {
            out.push_back({number, std::string{line}});
        }
    }
    if (table) return Failure(fmt::format("{}: the last table has no '@end'", number));
    return out;
}

}  // namespace muster::conform

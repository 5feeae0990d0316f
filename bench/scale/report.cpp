#include "scale/report.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "scale/plot.hpp"

namespace muster::bench {

namespace {

namespace fs = std::filesystem;

/// More than this from the smallest size to the largest is marked where a request names one thing.
constexpr double kMostGrowth = 2;

std::string with_commas(std::uint64_t number) {
    auto text = std::to_string(number);
    for (auto at = static_cast<int>(text.size()) - 3; at > 0; at -= 3) {
        text.insert(static_cast<std::size_t>(at), ",");
    }
    return text;
}

/// Three digits that matter; nothing for what was not measured.
std::string shown(double value) {
    if (value <= 0) return "";
    if (value >= 100) return with_commas(static_cast<std::uint64_t>(std::llround(value)));
    return fmt::format("{:.{}f}", value, value >= 10 ? 1 : value >= 1 ? 2 : 3);
}

/// The figures of one operation on one store, by size.
using Row = std::map<std::uint64_t, const Figure*>;

struct NamedRow {
    std::string operation;
    std::string store;
    Row sizes;
};

/// In the order in which they were measured first; the stores of an operation stand together.
std::vector<NamedRow> rows_of(const Findings& findings) {
    std::vector<NamedRow> rows;
    for (const auto& figure : findings.figures) {
        auto place = std::ranges::find_if(rows, [&](const NamedRow& row) {
            return row.operation == figure.operation && row.store == figure.store;
        });
        if (place == rows.end()) {
            const auto last = std::find_if(rows.rbegin(), rows.rend(), [&](const NamedRow& row) {
                return row.operation == figure.operation;
            });
            place = rows.insert(last == rows.rend() ? rows.end() : last.base(),
                                {figure.operation, figure.store, {}});
        }
        place->sizes[figure.people] = &figure;
    }
    return rows;
}

std::string table_of_fillings(const Findings& findings) {
    std::string text =
        "| Store | People | Memberships | Filled in | People and memberships/s | Database |\n"
        "|---|---:|---:|---:|---:|---:|\n";
    for (const auto& filling : findings.fillings) {
        text += fmt::format(
            "| {} | {} | {} | {:.1f} s | {} | {} MB |\n", filling.store,
            with_commas(filling.people), with_commas(filling.memberships), filling.seconds,
            shown(static_cast<double>(filling.people + filling.memberships) / filling.seconds),
            shown(filling.database_mb));
    }
    return text;
}

std::string table_of_figures(const std::vector<NamedRow>& rows) {
    std::string text =
        "| Operation | Store | People | p50 ms | p99 ms | growth | /s | busy p99 ms | CPU µs | "
        "database CPU µs | written KB | commits | RSS MB | floor/s | |\n"
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|\n";
    for (const auto& row : rows) {
        const Figure* before = nullptr;
        for (const auto& [people, figure] : row.sizes) {
            const auto growth =
                before == nullptr ? "" : fmt::format("{:.2f}", figure->p50_ms / before->p50_ms);
            text += fmt::format(
                "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |\n",
                before == nullptr ? row.operation : "", before == nullptr ? row.store : "",
                with_commas(people), shown(figure->p50_ms), shown(figure->p99_ms), growth,
                shown(figure->rate), shown(figure->busy_p99_ms), shown(figure->cpu_us),
                shown(figure->database_cpu_us), shown(figure->written_bytes / 1024),
                shown(figure->commits), shown(figure->rss_mb), shown(figure->floor_rate),
                figure->note);
            before = figure;
        }
    }
    return text;
}

std::string table_of_growth(const std::vector<NamedRow>& rows) {
    std::string text =
        "| Operation | Store | People | p50 ms | grows | CPU µs | grows | |\n"
        "|---|---|---:|---:|---:|---:|---:|---|\n";
    for (const auto& row : rows) {
        const auto& least = *row.sizes.begin()->second;
        const auto& most = *row.sizes.rbegin()->second;
        if (!least.names_one || row.sizes.size() < 2) continue;
        const double time = most.p50_ms / least.p50_ms;
        const double cpu = most.cpu_us / least.cpu_us;
        text += fmt::format("| {} | {} | {} to {} | {} to {} | {:.2f} | {} to {} | {:.2f} | {} |\n",
                            row.operation, row.store, with_commas(least.people),
                            with_commas(most.people), shown(least.p50_ms), shown(most.p50_ms), time,
                            shown(least.cpu_us), shown(most.cpu_us), cpu,
                            std::max(time, cpu) > kMostGrowth ? "**more than 2**" : "");
    }
    return text;
}

struct Drawing {
    std::string file;
    std::string title;
    std::vector<std::string> families;
    double Figure::* value;
    std::string unit;
};

void draw(const fs::path& directory, const Drawing& drawing, const std::vector<NamedRow>& rows) {
    Plot plot{.title = drawing.title, .x = "people", .y = drawing.unit, .lines = {}};
    for (const auto& row : rows) {
        if (std::ranges::find(drawing.families, row.sizes.begin()->second->family) ==
            drawing.families.end()) {
            continue;
        }
        Line line{.name = row.operation, .dashed = row.store != "SQLite", .points = {}};
        for (const auto& [people, figure] : row.sizes) {
            line.points.emplace_back(static_cast<double>(people), figure->*drawing.value);
        }
        plot.lines.push_back(std::move(line));
    }
    if (!plot.lines.empty()) std::ofstream(directory / drawing.file) << to_svg(plot);
}

constexpr std::string_view kIntroduction = R"(# Performance and size

What operations cost as an organisation grows, on both stores. `make bench-scale` measures everything
and writes this page with its drawings.

)";

constexpr std::string_view kReading = R"(## How to read it

- A store has one large organisation, of the size that stands in the row, and 49 of 200 people each.
  The large one has 36 groups: nine each of 10, of 1,000, of a tenth of its people and of all of them, so
  that everybody is in about ten. `muster load` made them, through the same checks, keys, log and durable
  commits as any request.
- Both stores are on the disk and answer a write after the fsync. PostgreSQL has its defaults but for
  `shared_buffers` (1 GB) and `max_wal_size` (4 GB).
- `p50` and `p99`: one connection, one request after the other, nothing else running. `growth` is p50
  against the row above.
- `/s` and `busy p99`: closed loop over 32 connections (8 for a group of 1,000 with its members, 4 for
  bulk, 64 for the mixed load) from one thread of the same machine, which shares the cores with the
  server. Rows without `busy p99` were measured on one connection.
- `CPU µs`: user and system time of Muster's process a request, of the busy run where there is one;
  `database CPU µs` that of all of PostgreSQL's processes.
- `written KB`: what went to the disk a request; of PostgreSQL what went to its log. `commits`: durable
  ones a request, each of which costs an fsync; many connections share one. Both include checkpoints and
  the log of requests, which reads write too.
- `RSS`: resident memory of Muster's process after the row.
- `floor/s`: on SQLite a bare server on the same database that does the row's reads and writes and
  nothing else ([bench](../bench/README.md)); on PostgreSQL pgbench with the row's point read, update
  or rows of a new person, over the same number of connections, without any server before it.
- The mixed load is 40 % GET by id, 15 % `userName eq`, 5 % pages of 20, 15 % PATCH of a person,
  10 % creation and 15 % one member more or fewer; one request in four goes to the large organisation.

)";

}  // namespace

void write_report(const fs::path& directory, const Origin& origin, const Findings& findings) {
    const auto rows = rows_of(findings);
    fs::create_directories(directory / "performance");
    const std::array drawings{
        Drawing{"reads.svg", "One thing read, one connection", {"read"}, &Figure::p50_ms, "p50 ms"},
        Drawing{"writes.svg",
                "One thing written, one connection",
                {"write"},
                &Figure::p50_ms,
                "p50 ms"},
        Drawing{"lists.svg",
                "Lists, and groups with all their members",
                {"list", "group"},
                &Figure::p50_ms,
                "p50 ms"},
        Drawing{"rates.svg",
                "Imports (people) and the mixed load (requests)",
                {"import", "mixed"},
                &Figure::rate,
                "a second"}};
    std::string pictures;
    for (const auto& drawing : drawings) {
        draw(directory / "performance", drawing, rows);
        if (!fs::exists(directory / "performance" / drawing.file)) continue;
        pictures += fmt::format("![{}](performance/{})\n\n", drawing.title, drawing.file);
    }
    std::ofstream(directory / "performance.md")
        << kIntroduction
        << fmt::format("- When: {}, commit {}, {}\n- Machine: {}\n- With: {}\n- By: `{}`{}\n\n",
                       origin.machine.date, origin.machine.commit, origin.muster,
                       origin.machine.to_text(), origin.database, origin.command,
                       origin.complete ? "" : "\n- This run did not come to its end.")
        << kReading
        << "## Growth\n\nOf operations that name one thing, from the smallest size to the "
           "largest.\n\n"
        << table_of_growth(rows) << '\n'
        << pictures << "## Filling\n\n"
        << table_of_fillings(findings) << "\n## Figures\n\n"
        << table_of_figures(rows);
}

}  // namespace muster::bench

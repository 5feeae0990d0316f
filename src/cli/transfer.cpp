// muster copy, backup, restore: all data from one place to another.

#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/progress_bar.hpp"
#include "cli/session.hpp"

namespace muster::cli {

namespace {

using app::Transferred;
using Result = std::expected<Transferred, app::Failure>;
using Clock = std::chrono::steady_clock;

/// Runs `transfer` with a progress bar that also says how quick it is.
template <class Transfer>
Result watched(Session& session, Transfer transfer) {
    const auto& environment = session.environment();
    ProgressBar bar{environment.err, environment.err_is_terminal && !session.out().json()};
    const auto start = Clock::now();
    Clock::time_point shown;
    return transfer([&](std::uint64_t done, std::uint64_t total, std::string_view words) {
        const auto now = Clock::now();
        if (now - shown < std::chrono::milliseconds{100}) return;
        shown = now;
        const std::chrono::duration<double> elapsed = now - start;
        bar.show(done, total,
                 fmt::format("{}  {:.0f} rows/s", words,
                             static_cast<double>(done) / std::max(elapsed.count(), 0.001)));
    });
}

json::Object to_json(const Transferred& done) {
    json::Object tables;
    for (const auto& [table, rows] : done.tables) tables[table] = rows;
    json::Object object{{"from", done.from},
                        {"to", done.to},
                        {"resumed", done.resumed},
                        {"organisations", done.organisations},
                        {"rows", done.rows},
                        {"tables", std::move(tables)},
                        {"elapsed_ms", done.elapsed.count()}};
    if (done.key_fits) object["key_file"] = done.key_file;
    return object;
}

/// `next` is said where it went well.
Outcome tell(Session& session, const Result& result, std::string_view next) {
    if (!result) return session.fail(result.error());
    if (session.out().json()) {
        session.out().value(to_json(*result));
        return {};
    }
    session.out().say(
        fmt::format("{} to {}: {} and {} in {:.1f} s, checked{}.", result->from, result->to,
                    count_of(result->organisations, "organisation"), count_of(result->rows, "row"),
                    static_cast<double>(result->elapsed.count()) / 1000.0,
                    result->resumed ? "; what an earlier attempt had copied was kept" : ""));
    session.out().say(next);
    return {};
}

Outcome copy(Session& session, const Arguments& arguments) {
    const auto done = watched(session, [&](const app::TransferProgress& progress) {
        return session.environment().copy(arguments.text("--from"), arguments.text("--to"),
                                          progress);
    });
    return tell(session, done,
                "The key file is not part of it: give the servers of the copy the one that those "
                "of the source have (key_file), or every token must be renewed.");
}

Outcome backup(Session& session, const Arguments& arguments) {
    const auto done = watched(session, [&](const app::TransferProgress& progress) {
        return session.environment().backup(database_of(arguments), arguments.text("--to"),
                                            progress);
    });
    const bool fits = done && done->key_fits;
    return tell(session, done,
                fmt::format("The key file is not part of it: keep {} as well, in another place. "
                            "Without it every token must be renewed.",
                            fits ? done->key_file : "that of the database's servers (key_file)"));
}

Outcome restore(Session& session, const Arguments& arguments) {
    const auto done = watched(session, [&](const app::TransferProgress& progress) {
        return session.environment().restore(database_of(arguments), arguments.text("--from"),
                                             progress);
    });
    if (done && done->key_fits) {
        return tell(session, done, fmt::format("The key file {} fits it.", done->key_file));
    }
    return tell(session, done,
                fmt::format("The key file was not part of it: put it back as {} before the server "
                            "starts, or every token must be renewed.",
                            done ? done->key_file : ""));
}

Argument place(std::string name, std::string help) {
    return {.name = std::move(name),
            .value = "DB",
            .help = std::move(help),
            .required = true,
            .hint = Hint::Directory};
}

std::vector<Argument> with_database(Argument first) {
    std::vector<Argument> arguments = database_arguments();
    first.value = "FILE";
    first.required = true;
    first.hint = Hint::File;
    arguments.insert(arguments.begin(), std::move(first));
    return arguments;
}

}  // namespace

Command copy_command() {
    return {.name = "copy",
            .summary = "Copy all data to another database",
            .description =
                "From SQLite to PostgreSQL, back, or to another of the same kind; DB is a data "
                "directory or postgres://... No server may run on either, and the target must be "
                "empty. At the end both are compared, row by row. A copy that was broken off is "
                "completed by the same command; until then no server starts on its target.",
            .arguments = {place("--from", "the database to copy"),
                          place("--to", "the empty database to copy it to")},
            .examples = {{"muster copy --from /var/lib/muster --to postgres://muster@db/muster",
                          "From SQLite to PostgreSQL"}},
            .run = copy};
}

Command backup_command() {
    return {.name = "backup",
            .summary = "Write all data to a file, also while the server runs",
            .description =
                "The file holds the state of one moment, whichever database it comes from, and "
                "appears when it is whole, compared and on disk. The key file is not part of it.",
            .arguments = with_database({.name = "--to", .help = "the file to make"}),
            .examples = {{"muster backup --config /etc/muster/muster.toml --to today.backup",
                          "Beside the running server"}},
            .run = backup};
}

Command restore_command() {
    return {.name = "restore",
            .summary = "Put a backup into an empty data directory or database",
            .description =
                "Nothing is overwritten: the target must be empty, and no server may run on it. "
                "What was broken off is completed by the same command.",
            .arguments = with_database({.name = "--from", .help = "a file that backup made"}),
            .examples = {{"muster restore --config /etc/muster/muster.toml --from today.backup",
                          "After the key file was put back"},
                         {"muster restore --database postgres://muster@db/muster --from "
                          "today.backup",
                          "Into PostgreSQL"}},
            .makes_data_directory = true,
            .run = restore};
}

}  // namespace muster::cli

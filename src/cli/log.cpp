// muster log: every request with what was decided and why.

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "cli/commands.hpp"
#include "cli/session.hpp"
#include "cli/terminal_text.hpp"

namespace muster::cli {

namespace {

// Widths are those of usual values: `tail` shows rows one after the other under one title.
constexpr std::array kColumns{
    Column{"ID", "id", Format::Text, 13},
    Column{"TIME", "time", Format::Time, 20},
    Column{"CONNECTOR", "connector", Format::Text, 10},
    Column{"STATUS", "status", Format::Status, 6},
    Column{"OUTCOME", "outcome", Format::State, 8},
    Column{"DURATION", "duration_us", Format::Duration, 8},
    Column{"METHOD", "method", Format::Text, 6},
    Column{"ABOUT", "resource.display", Format::Text, 20},
    Column{"PATH", "path"},
};

constexpr std::array kPage{
    Column{"ID", "id"},
    Column{"TIME", "time", Format::Time},
    Column{"ORG", "org"},
    Column{"CONNECTOR", "connector"},
    Column{"TOKEN", "token"},
    Column{"PEER", "peer"},
    Column{"USER AGENT", "user_agent"},
    Column{"METHOD", "method"},
    Column{"TARGET", "target"},
    Column{"STATUS", "status", Format::Status},
    Column{"OUTCOME", "outcome", Format::State},
    Column{"REASON", "reason"},
    Column{"DURATION", "duration_us", Format::Duration},
    Column{"RESOURCE", "resource.type"},
    Column{"RESOURCE ID", "resource.id"},
    Column{"NAME", "resource.display"},
};

constexpr std::array kSteps{Column{"STEP", "step"}, Column{"WHAT", "text"}};
constexpr std::array kNotes{Column{"RULE", "rule"}, Column{"WHAT", "text"}};
constexpr std::array kChanges{Column{"PATH", "path"}, Column{"BEFORE", "before"},
                              Column{"AFTER", "after"}};

/// A part of a record; without columns it is shown as a tree.
struct Part {
    std::string_view title;
    std::string_view member;
    std::span<const Column> columns;
};
constexpr std::array kParts{Part{"Steps", "trace", kSteps},       Part{"Notes", "notes", kNotes},
                            Part{"Changes", "changes", kChanges}, Part{"Written", "written", {}},
                            Part{"Request", "request", {}},       Part{"Response", "response", {}}};

constexpr std::size_t kBatch = 1000;  // the most that the API gives at once

std::string log_target(const Arguments& arguments, std::string_view before, std::string_view after,
                       std::string_view limit, std::string_view mentions = {}) {
    return target_of({"log"}, {{"org", arguments.text("--org")},
                               {"connector", arguments.text("--connector")},
                               {"failed", arguments.flag("--failed") ? "true" : ""},
                               {"mentions", mentions},
                               {"before", before},
                               {"after", after},
                               {"limit", limit}});
}

std::expected<json::Array, ExitCode> records_in(Session& session, const json::Object& answer) {
    const auto* found = answer.if_contains("records");
    if (found == nullptr || !found->is_array()) {
        return session.fail(ExitCode::Failed, "The answer has no records.");
    }
    return found->get_array();
}

std::expected<json::Array, ExitCode> records(Session& session, const std::string& target) {
    TRY_ASSIGN(const auto answer, session.ask("GET", target));
    return records_in(session, answer);
}

bool is_failed(const json::Value& record) {
    const auto* status = record.is_object() ? record.get_object().if_contains("status") : nullptr;
    return status != nullptr && status->is_int64() && status->get_int64() >= 400;
}

Outcome list_log(Session& session, const Arguments& arguments) {
    const auto wanted = static_cast<std::size_t>(arguments.number("--limit"));
    json::Array all;
    auto before = std::string{arguments.text("--before")};
    do {
        const auto target =
            log_target(arguments, before, arguments.text("--after"),
                       fmt::format("{}", wanted - all.size()), arguments.text("--mentions"));
        TRY_ASSIGN(const auto answer, session.ask("GET", target));
        TRY_ASSIGN(auto found, records_in(session, answer));
        for (auto& record : found) all.push_back(std::move(record));
        // A search looks through so much at once, and says where it goes on.
        before = json::string_or_empty(answer, "rest");
    } while (!before.empty() && all.size() < wanted);
    const json::Object answer{{"records", std::move(all)}};
    TRY_VOID(list(session, answer, "records", kColumns, "The log has no such records."));
    if (session.out().json()) return {};
    const auto& found = answer.at("records").as_array();
    const auto failed = std::ranges::find_if(found, is_failed);
    if (failed != found.end()) {
        session.out().say(fmt::format("Why was it refused? muster log explain {}",
                                      json::string_or_empty(failed->get_object(), "id")));
    }
    return {};
}

/// Shows records, given newest first, in the order in which they began.
void show_in_order(Session& session, json::Array found, bool titles) {
    std::ranges::reverse(found);
    if (session.out().json()) {
        for (const auto& record : found) session.out().value(record);
    } else {
        session.out().table(found, kColumns, titles);
    }
    session.environment().out.flush();
}

std::string id_of(const json::Value& record) {
    return record.is_object() ? std::string{json::string_or_empty(record.get_object(), "id")} : "";
}

/// What a tail has seen of late. A record's id is made when its request begins, and the record is
/// there when the request has ended, on another node a little later still: what is missing may lie
/// before what was seen.
class Seen {
  public:
    /// Leaves those that were not seen before.
    void take_out(json::Array& records) {
        json::Array fresh;
        for (auto& record : records) {
            if (ids_.insert(id_of(record)).second) fresh.push_back(std::move(record));
        }
        records = std::move(fresh);
        while (ids_.size() > kMost) {
            forget_up_to(*ids_.begin());
            ids_.erase(ids_.begin());
        }
    }
    /// What is not newer will not be asked for.
    void forget_up_to(const std::string& id) { from_ = std::max(from_, id); }

    /// What is missing is newer than this.
    [[nodiscard]] std::string from() const {
        const auto newest = ids_.empty() ? std::nullopt : from_base32(*ids_.rbegin());
        if (!newest) return from_;
        const auto began = IdGenerator::time_of(*newest);
        const auto overlap = IdGenerator::first_at({began.ms - kOverlapMs}) - 1;
        return std::max(from_, to_base32(std::max<std::int64_t>(overlap, 0)));
    }

  private:
    static constexpr std::int64_t kOverlapMs = 10'000;
    static constexpr std::size_t kMost = 10'000;  ///< asked for again each time

    std::set<std::string> ids_;  ///< which sort as their times do
    std::string from_;
};

/// All records after `after`, newest first, however many there are.
std::expected<json::Array, ExitCode> records_after(Session& session, const Arguments& arguments,
                                                   const std::string& after) {
    json::Array all;
    std::string before;
    const auto limit = fmt::format("{}", kBatch);
    while (true) {
        TRY_ASSIGN(auto batch, records(session, log_target(arguments, before, after, limit)));
        const bool full = batch.size() >= kBatch;
        if (full) before = id_of(batch.back());
        for (auto& record : batch) all.push_back(std::move(record));
        if (!full || before.empty()) return all;
    }
}

Outcome tail_log(Session& session, const Arguments& arguments) {
    Seen seen;
    // More than is shown, to know what is not new.
    const auto first = log_target(arguments, {}, {}, fmt::format("{}", kBatch));
    TRY_ASSIGN(auto found, records(session, first));
    if (found.size() >= kBatch) seen.forget_up_to(id_of(found.back()));
    seen.take_out(found);
    const auto shown = static_cast<std::size_t>(arguments.number("--limit"));
    if (found.size() > shown) found.resize(shown);
    show_in_order(session, std::move(found), true);
    // Without a server nothing comes, and holding the directory would keep one from starting.
    if (!session.live()) {
        session.out().say("No server runs on this data directory, so nothing new will come.");
        return {};
    }
    while (session.environment().wait()) {
        TRY_ASSIGN(auto fresh, records_after(session, arguments, seen.from()));
        seen.take_out(fresh);
        if (!fresh.empty()) show_in_order(session, std::move(fresh), false);
    }
    return {};
}

Outcome show_log(Session& session, const Arguments& arguments) {
    TRY_ASSIGN(const auto record, session.ask("GET", target_of({"log", arguments.text("ID")})));
    auto& out = session.out();
    if (out.json()) {
        out.value(record);
        return {};
    }
    out.page(record, kPage);
    for (const auto& [title, member, columns] : kParts) {
        const auto* part = record.if_contains(member);
        if (part == nullptr || (part->is_array() && part->get_array().empty())) continue;
        out.heading(title);
        if (part->is_array() && !columns.empty()) {
            out.table(part->get_array(), columns);
        } else {
            out.tree(*part);
        }
    }
    return {};
}

Outcome explain_log(Session& session, const Arguments& arguments) {
    TRY_ASSIGN(const auto explanation,
               session.ask("GET", target_of({"log", arguments.text("ID"), "explain"})));
    auto& out = session.out();
    if (out.json()) {
        out.value(explanation);
        return {};
    }
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kAnswers{
        {{"What happened", "happened"}, {"Why", "why"}, {"What to do", "todo"}}};
    for (const auto& [title, member] : kAnswers) {
        const auto text = json::string_or_empty(explanation, member);
        if (text.empty()) continue;
        constexpr std::size_t kIndent = 15;
        out.raw(pad_right(std::string{title}, kIndent) + wrap(printable(text), 80, kIndent) + "\n");
    }
    return {};
}

std::vector<Argument> selection(std::string_view limit) {
    return {{.name = "--org", .value = "SLUG", .help = "only this organisation's requests"},
            {.name = "--connector", .value = "ID", .help = "only this connector's requests"},
            {.name = "--failed", .help = "only what was refused or failed"},
            {.name = "--limit",
             .value = "N",
             .help = "how many to show",
             .letter = "n",
             .fallback = std::string{limit},
             .range = Range{1, kBatch}}};
}

std::vector<Argument> list_arguments() {
    auto arguments = selection("50");
    arguments.push_back(
        {.name = "--mentions",
         .value = "TEXT",
         .help = "only where this stands in the record: a userName, an id, a name"});
    arguments.push_back({.name = "--before", .value = "ID", .help = "only older than this record"});
    arguments.push_back({.name = "--after", .value = "ID", .help = "only newer than this record"});
    return arguments;
}

Argument id() {
    return {.name = "ID",
            .help = "the record's id: from a list, or from the error that Okta shows",
            .required = true};
}

}  // namespace

Command log_commands() {
    return {.name = "log",
            .summary = "The provisioning log: every request, what was decided and why",
            .children = {
                {.name = "tail",
                 .summary = "Watch requests as they come",
                 .description = "Shows the newest records and then waits for more. Ctrl-C ends it. "
                                "With --json each record is a line of its own.",
                 .arguments = selection("10"),
                 .examples = {{"muster log tail", "While you test the connection in Okta"},
                              {"muster log tail --failed --json", "Failures, for a script"}},
                 .run = tail_log},
                {.name = "list",
                 .summary = "List requests, newest first",
                 .arguments = list_arguments(),
                 .examples = {{"muster log list --failed --limit 20", "The last failures"},
                              {"muster log list --mentions ann@acme.example",
                               "What happened to Ann, and in whose requests she stands"},
                              {"muster log list --before ID", "The page behind this one"}},
                 .run = list_log},
                {.name = "show",
                 .summary = "Show one request: steps, changes, bodies",
                 .arguments = {id()},
                 .examples = {{"muster log show ID", "Everything that was recorded"}},
                 .run = show_log},
                {.name = "explain",
                 .summary = "Say in words what happened, why and what to do",
                 .arguments = {id()},
                 .examples = {{"muster log explain ID", "What to do in Okta"}},
                 .run = explain_log},
            }};
}

}  // namespace muster::cli

#include "provlog/record.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <ranges>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "provlog/redact.hpp"

namespace muster::provlog {

namespace {

/// A value as JSON text: a text may be a filter, and an element of an organisation's own attribute
/// hold a secret by name.
void append_redacted_change(std::string& out, std::string_view value) {
    if (!may_hold_secrets(value)) {
        out.append(value);
        return;
    }
    const auto parsed = json::parse(value);
    if (!parsed) return json::append_string(out, kRedacted);
    out.append(redact_body(value, *parsed).text);
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
    if (text.empty()) return;
    out.append(",\"").append(name).append("\":");
    json::append_string(out, text);
}

void append_raw(std::string& out, std::string_view name, std::string_view raw) {
    if (raw.empty()) return;
    out.append(",\"").append(name).append("\":").append(raw);
}

void append_list(std::string& out, std::string_view name, std::string_view items) {
    if (items.empty()) return;
    out.append(",\"").append(name).append("\":[").append(items).push_back(']');
}

/// A parameter of RFC 7644 §3.4.2 or RFC 9865 with names or numbers, but no filter.
bool is_plain_parameter(std::string_view item) {
    static constexpr std::array<std::string_view, 7> kNames = {
        "attributes", "excludedAttributes", "sortBy", "sortOrder", "startIndex", "count", "cursor"};
    const auto equals = std::min(item.find('='), item.size());
    const auto value = item.substr(std::min(equals + 1, item.size()));
    return std::ranges::any_of(kNames,
                               [name = item.substr(0, equals)](std::string_view known) {
                                   return equals_ignoring_case(known, name);
                               }) &&
           std::ranges::all_of(value, [](char c) { return c == ',' || is_plain_name({&c, 1}); });
}

/// Where what could be a comparison begins in a target, if anything could: in the query, as clients
/// write it, or elsewhere, as some do by mistake.
std::optional<std::size_t> odd_part_at(std::string_view target) {
    const auto odd =
        std::ranges::find_if_not(target, [](char c) { return is_plain_name({&c, 1}); });
    if (odd == target.end()) return std::nullopt;
    const auto at = static_cast<std::size_t>(odd - target.begin());
    if (*odd != '?') return at;
    const auto query = percent_decode(target.substr(at + 1));
    // What cannot be decoded could spell anything.
    if (!query) return at;
    for (const auto item : *query | std::views::split('&')) {
        if (!item.empty() && !is_plain_parameter(std::string_view(item))) return at;
    }
    return std::nullopt;
}

/// Stands for what is too large to be kept.
std::string omitted(std::size_t bytes) { return fmt::format("{{\"omitted_bytes\":{}}}", bytes); }

void separate(std::string& list) {
    if (!list.empty()) list.push_back(',');
}

std::string redact_response(std::string_view body, Hide in_filters, Hide elsewhere) {
    const auto parsed = json::parse(body);
    return parsed ? redact_body(body, *parsed, in_filters, elsewhere).text : omitted(body.size());
}

std::string_view outcome_of(int status) {
    if (status < 400) return "accepted";
    return status < 500 ? "refused" : "failed";
}

}  // namespace

Record::Record(LogId id, const Who& who, const What& what)
    : id_(id), org_(who.org), connector_(who.connector) {
    json_.reserve(512);
    json_ = "{\"id\":\"";
    json_.append(to_base32(id.value))
        .append("\",\"time\":\"")
        .append(to_rfc3339(IdGenerator::time_of(id.value)))
        .push_back('"');
    append_member(json_, "org", who.org_slug);
    append_member(json_, "connector", who.connector_id);
    append_member(json_, "token", who.token_id);
    append_member(json_, "peer", who.peer);
    append_member(json_, "user_agent", mask_tokens(utf8_prefix(who.user_agent, 200)));
    append_member(json_, "method", what.method);
    auto target = redact_target(what.target);
    hides_part_ = target != what.target;
    target_at_ = json_.size();
    if (const auto odd = odd_part_at(target)) {
        withheld_ = target;
        target.resize(*odd);
        target.append("?").append(kRedacted);
    }
    append_member(json_, "target", target);
}

void Record::tell_all() {
    tells_all_ = true;
    if (withheld_.empty()) return;
    json_.resize(target_at_);
    append_member(json_, "target", withheld_);
    withheld_.clear();
}

void Record::step(std::string_view stage, std::string_view text) {
    separate(trace_);
    trace_.append("{\"step\":\"").append(stage).append("\",\"text\":");
    json::append_string(trace_, text);
    trace_.push_back('}');
}

void Record::filter(std::string_view text) { step("parsed", "filter " + redact_filter(text)); }

void Record::notes(std::span<const scim::Note> notes) {
    for (const auto& note : notes.first(std::min(notes.size(), kMaxChanges))) {
        separate(notes_);
        notes_.append("{\"rule\":");
        json::append_string(notes_, note.rule);
        notes_.append(",\"text\":");
        json::append_string(notes_, redact_quotations(note.text, hides_quotations()));
        notes_.push_back('}');
    }
}

void Record::changes(std::span<const scim::Change> changes) {
    for (const auto& change : changes.first(std::min(changes.size(), kMaxChanges))) {
        separate(changes_);
        changes_.append("{\"path\":");
        const bool secret = names_a_secret(change.path);
        json::append_string(changes_, secret ? redact_filter(change.path) : change.path);
        const auto append = [&](std::string_view member, std::string_view value) {
            if (value.empty()) return;
            changes_.append(",\"").append(member).append("\":");
            if (secret) {
                changes_.append("\"[redacted]\"");
            } else if (changes_.size() + value.size() > kMaxBodyBytes) {
                changes_.append(omitted(value.size()));
            } else {
                append_redacted_change(changes_, value);
            }
        };
        append("before", change.before);
        append("after", change.after);
        changes_.push_back('}');
    }
    if (changes.size() > kMaxChanges) {
        step("changed",
             fmt::format("{} attributes; the first {} are listed", changes.size(), kMaxChanges));
    }
}

void Record::resource(std::string_view type, std::string_view id, std::string_view display) {
    resource_ = "{\"type\":";
    json::append_string(resource_, type);
    resource_.append(",\"id\":");
    if (tells_all_ || is_plain_name(id)) {
        json::append_string(resource_, names_a_secret(id) ? redact_filter(id) : id);
    } else {
        json::append_string(resource_, kRedacted);
    }
    if (!display.empty()) {
        resource_.append(",\"display\":");
        json::append_string(resource_, display);
    }
    resource_.push_back('}');
}

void Record::request_body(std::string_view raw, const json::Value* parsed) {
    if (raw.empty()) return;
    if (parsed == nullptr || raw.size() > kMaxBodyBytes) {
        // What cannot be read cannot be redacted either, so none of it is kept.
        request_body_ = omitted(raw.size());
        keeps_request_ = false;
        hides_part_ = true;
        return;
    }
    auto body = redact_body(raw, *parsed);
    request_body_ = std::move(body.text);
    keeps_request_ = true;
    hides_part_ = hides_part_ || body.hides_part;
}

void Record::rewind(const Mark& mark) {
    trace_.resize(mark.trace);
    notes_.resize(mark.notes);
    changes_.resize(mark.changes);
    resource_ = mark.resource;
    reason_ = mark.reason;
}

/// Of the standard's attributes none that is returned is a secret; an organisation's own may be,
/// and errors quote what was sent.
bool Record::may_hold_secrets(int status, std::string_view response) const {
    if (response.empty()) return false;
    if (provlog::may_hold_secrets(response)) return true;
    if (!hides_part() || !response.contains("\\\"")) return false;  // nothing is quoted
    return status >= 400 || response.contains("\"detail\":");  // in an answer to a bulk request
}

store::LogEntry Record::finish(int status, std::string_view response_body,
                               std::int64_t duration_us) const {
    constexpr std::size_t kRest = 256;  // names, numbers and short words
    std::string json;
    json.reserve(json_.size() + resource_.size() + trace_.size() + notes_.size() + changes_.size() +
                 request_body_.size() + std::min(response_body.size(), kMaxBodyBytes) + kRest);
    json.append(json_).append(",\"status\":").append(fmt::format_int(status).c_str());
    append_member(json, "outcome", outcome_of(status));
    append_member(json, "reason", reason_);
    json.append(",\"duration_us\":").append(fmt::format_int(duration_us).c_str());
    append_raw(json, "resource", resource_);
    append_list(json, "trace", trace_);
    append_list(json, "notes", notes_);
    append_list(json, "changes", changes_);
    append_raw(json, "request", request_body_);
    if (response_body.size() > kMaxBodyBytes) {
        append_raw(json, "response", omitted(response_body.size()));
    } else if (may_hold_secrets(status, response_body)) {
        append_raw(json, "response",
                   redact_response(response_body, hides_part() ? Hide::All : Hide::Secrets,
                                   hides_quotations()));
    } else {
        append_raw(json, "response", response_body);
    }
    // A token may have been sent anywhere: as an id, in a filter, as a name.
    if (holds_token(json)) json = mask_tokens(json);
    return {.id = id_,
            .org = org_,
            .connector = connector_,
            .failed = status >= 400,
            .json = std::move(json)};
}

}  // namespace muster::provlog

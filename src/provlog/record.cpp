#include "provlog/record.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/words.hpp"

namespace muster::provlog {

namespace {

constexpr std::string_view kRedacted = "[redacted]";
constexpr std::string_view kTokenPrefix = "mst_";

constexpr Words kSecretNames(std::array<std::string_view, 5>{"password", "secret", "token",
                                                             "authorization", "credential"});
// A filter in a .search body or in a PATCH path may compare a password.
constexpr Words kComparedSecrets(std::array<std::string_view, 2>{"password ", "password["});
constexpr Words kPassword(std::array<std::string_view, 1>{"password"});

bool names_a_secret(std::string_view name) { return kSecretNames.any_in(name); }

void append_redacted(std::string& out, const json::Value& value);

void append_redacted(std::string& out, const json::Object& object) {
    // {"op":"replace","path":"password","value":"…"}: the secret's name stands in another member.
    // Member names are read without case, here as by PATCH.
    const auto* path = json::find_ignoring_case(object, "path");
    const bool secret_path =
        path != nullptr && path->is_string() && names_a_secret(path->get_string().subview());
    char before = '{';
    for (const auto& [key, member] : object) {
        const std::string_view name{key};
        const bool is_secret =
            names_a_secret(name) || (secret_path && equals_ignoring_case(name, "value"));
        out.push_back(std::exchange(before, ','));
        json::append_string(out, name);
        out.push_back(':');
        if (is_secret && !member.is_bool() && !member.is_null()) {
            json::append_string(out, kRedacted);
        } else {
            append_redacted(out, member);
        }
    }
    out.append(before == '{' ? "{}" : "}");
}

void append_redacted_text(std::string& out, std::string_view text) {
    if (kComparedSecrets.any_in(text)) return json::append_string(out, kRedacted);
    if (!text.contains(kTokenPrefix)) return json::append_string(out, text);
    json::append_string(out, mask_tokens(text));
}

void append_redacted(std::string& out, const json::Value& value) {
    if (const auto* object = value.if_object()) {
        append_redacted(out, *object);
    } else if (const auto* array = value.if_array()) {
        char before = '[';
        for (const auto& element : *array) {
            out.push_back(std::exchange(before, ','));
            append_redacted(out, element);
        }
        out.append(before == '[' ? "[]" : "]");
    } else if (const auto* text = value.if_string()) {
        append_redacted_text(out, text->subview());
    } else {
        json::append(out, value);
    }
}

/// A value as JSON text: an element of an organisation's own attribute may hold a secret by name.
void append_redacted_change(std::string& out, std::string_view value) {
    const bool has_names = value.starts_with('{') || value.starts_with('[');
    if (!has_names || !names_a_secret(value)) {
        out.append(value);
        return;
    }
    const auto parsed = json::parse(value);
    if (!parsed) return json::append_string(out, kRedacted);
    append_redacted(out, *parsed);
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

/// Stands for what is too large to be kept.
std::string omitted(std::size_t bytes) { return fmt::format("{{\"omitted_bytes\":{}}}", bytes); }

void separate(std::string& list) {
    if (!list.empty()) list.push_back(',');
}

/// Of the standard's attributes none that is returned is a secret; an organisation's own may be.
std::string redact_response(std::string_view body) {
    const auto parsed = json::parse(body);
    return parsed ? redact_body(body, *parsed) : std::string{body};
}

std::string_view outcome_of(int status) {
    if (status < 400) return "accepted";
    return status < 500 ? "refused" : "failed";
}

}  // namespace

Record::Record(LogId id, const Who& who, const What& what)
    : id_(id), org_(who.org), connector_(who.connector), own_attributes_(who.own_attributes) {
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
    append_member(json_, "target", redact_target(what.target));
}

void Record::step(std::string_view stage, std::string_view text) {
    separate(trace_);
    trace_.append("{\"step\":\"").append(stage).append("\",\"text\":");
    json::append_string(trace_, text);
    trace_.push_back('}');
}

void Record::notes(std::span<const scim::Note> notes) {
    for (const auto& note : notes.first(std::min(notes.size(), kMaxChanges))) {
        separate(notes_);
        notes_.append("{\"rule\":");
        json::append_string(notes_, note.rule);
        notes_.append(",\"text\":");
        json::append_string(notes_, note.text);
        notes_.push_back('}');
    }
}

void Record::changes(std::span<const scim::Change> changes) {
    for (const auto& change : changes.first(std::min(changes.size(), kMaxChanges))) {
        separate(changes_);
        changes_.append("{\"path\":");
        json::append_string(changes_, change.path);
        const bool secret = names_a_secret(change.path);
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
    json::append_string(resource_, id);
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
        return;
    }
    request_body_ = redact_body(raw, *parsed);
}

void Record::rewind(const Mark& mark) {
    trace_.resize(mark.trace);
    notes_.resize(mark.notes);
    changes_.resize(mark.changes);
    resource_ = mark.resource;
    reason_ = mark.reason;
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
    } else if (own_attributes_) {
        append_raw(json, "response", redact_response(response_body));
    } else {
        append_raw(json, "response", response_body);
    }
    // A token may have been sent anywhere: as an id, in a filter, as a name.
    if (json.contains(kTokenPrefix)) json = mask_tokens(json);
    return {.id = id_,
            .org = org_,
            .connector = connector_,
            .failed = status >= 400,
            .json = std::move(json)};
}

std::string mask_tokens(std::string_view text) {
    std::string masked;
    std::size_t position = 0;
    const auto is_token_character = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               c == '_' || c == '-';
    };
    for (auto found = text.find(kTokenPrefix); found != std::string_view::npos;
         found = text.find(kTokenPrefix, position)) {
        masked.append(text.substr(position, found - position));
        position = found;
        while (position < text.size() && is_token_character(text[position])) ++position;
        // The bare prefix is no secret: a refusal tells it.
        const bool bare = position == found + kTokenPrefix.size();
        masked.append(bare ? kTokenPrefix : kRedacted);
    }
    return masked.append(text.substr(position));
}

std::string redact_target(std::string_view target) {
    target = utf8_prefix(target, 4096);
    const auto query = target.find('?');
    if (query != std::string_view::npos && kPassword.any_in(target.substr(query))) {
        return mask_tokens(target.substr(0, query)).append("?").append(kRedacted);
    }
    return mask_tokens(target);
}

std::string redact_body(std::string_view raw, const json::Value& parsed) {
    // An escape could spell a secret's name or a token's prefix letter by letter.
    std::string text;
    if (names_a_secret(raw) || raw.contains("\\u") || raw.contains(kTokenPrefix)) {
        append_redacted(text, parsed);
    } else {
        text = raw;
    }
    // Between tokens a line end is white space; inside a JSON string it cannot stand. So this keeps
    // a record on one line and changes nothing.
    std::ranges::replace(text, '\n', ' ');
    std::ranges::replace(text, '\r', ' ');
    return text;
}

}  // namespace muster::provlog

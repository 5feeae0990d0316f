#include "provlog/explain.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace muster::provlog {

namespace {

struct Cause {
    std::string_view reason;  ///< Record::reason
    std::string_view why;     ///< {}: the client
    std::string_view todo;    ///< likewise
};

// Reasons are either those of authentication (auth::to_string) or SCIM error words.
constexpr std::array kCauses{
    Cause{"missing-credential", "The request carried no credential that Muster accepts.",
          "Paste the token in {} (in Okta under Provisioning > Integration) and test the "
          "connection."},
    Cause{"not-a-token", "The credential is not a Muster token.",
          "Copy the token again from where it was generated; it begins with mst_."},
    Cause{"bad-checksum", "The token was damaged: a character is missing or mistyped.",
          "Paste the whole token into {} again, without spaces or line breaks."},
    Cause{"unknown-token",
          "No token with that name is known here: it was removed, or it belongs to another "
          "installation.",
          "Compare it with muster token list. If it is not there, generate a new one (muster token "
          "generate) and paste it into {}; one that another node made within the last second is "
          "only to be tried again."},
    Cause{"other-connector", "The token belongs to another connector than the one in the base URL.",
          "Use the base URL and the token of the same connector in {}."},
    Cause{"wrong-secret",
          "The token was renewed since and its old secret retired, or it is a forgery.",
          "Paste the newest token into {}, or renew it and paste that."},
    Cause{
        "wrong-scheme", "The token was sent in another way than it was made for.",
        "Choose in {} how the token is sent: Basic for a basic token, a bearer token otherwise (in "
        "Okta: HTTP Header or OAuth Bearer Token)."},
    Cause{"inactive", "The token is switched off.",
          "Switch it on again (muster token activate) or use another one in {}."},
    Cause{"expired", "The token has expired.",
          "Renew it (muster token renew) and paste the new secret into {}."},
    Cause{"no-such-connector", "No connector has the id that stands in the base URL.",
          "Correct the base URL in {}: muster connector list shows it."},
    Cause{"outcome-unknown",
          "The database was lost while it committed: the change may have been made, or not.",
          "Identity providers repeat the request by themselves. Else look at the person or group "
          "(muster user show) and repeat it."},
    Cause{"too-many-requests",
          "It was more than a limit that the operator set, or than the server can do.",
          "Identity providers try again after Retry-After. Where it lasts, look at who asks "
          "(muster log list) and at the limits in the configuration."},
    Cause{
        "paused", "The connector is paused, so nothing was changed; {} retries by itself.",
        "Resume it (muster connector resume); if {} gave up meanwhile, retry what failed (in Okta "
        "under Dashboard > Tasks)."},
    Cause{"uniqueness", "Another person or group already has that name.",
          "Link the existing account to the person in {} (in Okta: import from this app, or assign "
          "the "
          "person again), or give one of the two another user name; then retry."},
    Cause{"unknown-member", "The group names people who were not provisioned here.",
          "Assign those people to the app in {} first, then send the group again (in Okta: Push "
          "Now)."},
    Cause{"not-found", "What the request was about does not exist here (any more).",
          "If it was deleted here, unlink it in {} and assign or push it again."},
    Cause{"no-endpoint", "Nothing is served under that address.",
          "Compare the address with the connector's SCIM URL and /ResourceTypes."},
    Cause{"no-subject", "/Me asks for the person behind the token, and a connector's has none.",
          "Nothing is wrong with the connection; the client should name the resource by its id."},
    Cause{"not-acceptable", "The client asked for an answer in another format than JSON.",
          "Remove the Accept header that a proxy or a script sets."},
    Cause{"version-mismatch", "It had been changed since the client last read it.",
          "Nothing was lost: the client must read it again and repeat its change."},
    Cause{"invalidFilter", "Muster could not understand the filter.",
          "Correct the filter; its answer names the part that is wrong."},
    Cause{"invalidSyntax", "The body of the request was not what SCIM prescribes.",
          "The answer names the place; a proxy that alters bodies is a frequent cause."},
    Cause{"invalidPath", "A change named an attribute that does not exist.",
          "Check the attribute mappings in {} (in Okta under Provisioning > To App)."},
    Cause{"invalidValue", "A value does not fit its attribute.",
          "Correct the value or its mapping in {}; the answer names the attribute."},
    Cause{"noTarget", "A change named a value that is not there.",
          "Force a sync of that person in {} so that both sides agree again."},
    Cause{"mutability", "A change named an attribute that cannot be changed by a client.",
          "Remove that attribute from the mappings in {}."},
    Cause{"tooMany", "The request asked for more than one request may.",
          "Ask for less at once; the answer names the limit."},
    Cause{"too-large", "The request was larger than the limit.",
          "Raise limits.body_bytes if such requests are expected."},
    Cause{"no-room", "Too many large requests were under way at once.",
          "{} tries again by itself. Raise limits.bodies_bytes where there is memory for more."},
    Cause{"no-room-to-answer", "Too many large answers were under way at once.",
          "{} tries again by itself. If it goes on, let it ask for smaller pages, or raise "
          "limits.answers_bytes where there is memory for more."},
    Cause{"schemas-changed", "The organisation's schemas were changed during the request.",
          "Nothing was lost: {} repeats its change."},
    Cause{
        "media-type", "The body was not sent as JSON.",
        "Check what stands between {} and Muster: identity providers send application/scim+json."},
    Cause{"method-not-allowed", "The URL does not take that method.",
          "Check the base URL in {}: it ends in /scim/v2."},
    Cause{"too-slow", "The request did not arrive in time.",
          "Check the network and the proxies between {} and Muster, then retry."},
    Cause{"unavailable", "Muster could not write just then, so it changed nothing.",
          "Retry in {}; if it goes on, look at the server's log, its database and its disk."},
};

/// The text with the client's name in it.
std::string naming(std::string_view idp, std::string_view text) {
    std::string named;
    for (auto at = text.find("{}"); at != std::string_view::npos; at = text.find("{}")) {
        named.append(text.substr(0, at)).append(idp);
        text.remove_prefix(at + 2);
    }
    return named.append(text);
}

std::string_view verb(std::string_view method, std::string_view target) {
    if (method == "POST")
        return target.find(".search") == std::string_view::npos ? "create" : "search";
    if (method == "PUT") return "replace";
    if (method == "PATCH") return "change";
    if (method == "DELETE") return "delete";
    return "read";
}

std::string subject(const json::Object& record, std::string_view target) {
    if (const auto* resource = record.if_contains("resource"); resource && resource->is_object()) {
        const auto& object = resource->get_object();
        const auto display = json::string_or_empty(object, "display");
        return fmt::format("{} {}", json::string_or_empty(object, "type"),
                           display.empty() ? json::string_or_empty(object, "id") : display);
    }
    return std::string{target.substr(0, target.find('?'))};
}

std::string client(const json::Object& record) {
    const auto agent = json::string_or_empty(record, "user_agent");
    if (agent.find("kta") != std::string_view::npos) return "Okta";
    return agent.empty() ? "A client" : fmt::format("{}", agent);
}

std::string error_detail(const json::Object& record) {
    const auto* response = record.if_contains("response");
    if (response == nullptr || !response->is_object()) return {};
    return std::string{json::string_or_empty(response->get_object(), "detail")};
}

/// What was taken otherwise than it was written, or not taken.
std::vector<std::string> notes_of(const json::Object& record) {
    std::vector<std::string> texts;
    const auto* notes = record.if_contains("notes");
    if (notes == nullptr || !notes->is_array()) return texts;
    for (const auto& note : notes->get_array()) {
        if (!note.is_object()) continue;
        std::string text{json::string_or_empty(note.get_object(), "text")};
        while (text.ends_with('.')) text.pop_back();
        if (!text.empty()) texts.push_back(std::move(text));
    }
    return texts;
}

/// What the trace says of a client that is not the one that the connector was made for.
std::string_view other_client(const json::Object& record) {
    const auto* trace = record.if_contains("trace");
    if (trace == nullptr || !trace->is_array()) return {};
    for (const auto& step : trace->get_array()) {
        if (!step.is_object()) continue;
        const auto text = json::string_or_empty(step.get_object(), "text");
        if (text.starts_with("looks like ")) return text;
    }
    return {};
}

std::int64_t number(const json::Object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

std::string paths_of(const json::Object& record) {
    std::string paths;
    const auto* changes = record.if_contains("changes");
    if (changes == nullptr || !changes->is_array()) return paths;
    for (const auto& change : changes->get_array()) {
        if (!change.is_object()) continue;
        if (!paths.empty()) paths += ", ";
        paths += json::string_or_empty(change.get_object(), "path");
    }
    return paths;
}

/// What the store wrote (store::finish_log_json); nothing where the request changed nothing.
std::string accepted_why(const json::Object& record, std::string_view method,
                         std::string_view target) {
    if (target.ends_with("/Bulk")) return "Each of its operations has a record of its own.";
    const auto* written = record.if_contains("written");
    if (written == nullptr || !written->is_array() || written->get_array().empty()) {
        return "Nothing had to be changed.";
    }
    if (method == "DELETE") return "It was deleted, and is in no group any more.";
    std::int64_t added = 0;
    std::int64_t removed = 0;
    for (const auto& one : written->get_array()) {
        if (!one.is_object()) continue;
        added += number(one.get_object(), "members_added");
        removed += number(one.get_object(), "members_removed");
    }
    std::string why;
    if (const auto paths = paths_of(record); !paths.empty()) {
        why = fmt::format("Changed: {}.", paths);
    } else if (method == "POST") {
        why = "It was made as the request has it.";
    }
    const auto count = [&why](std::int64_t members, std::string_view done) {
        if (members == 0) return;
        if (!why.empty()) why += ' ';
        why += fmt::format("Members {}: {}.", done, members);
    };
    count(added, "added");
    count(removed, "removed");
    return why.empty() ? "All that it names was so already." : why;
}

}  // namespace

Explanation explain(const json::Object& record, std::string_view idp) {
    const auto method = json::string_or_empty(record, "method");
    const auto target = json::string_or_empty(record, "target");
    const std::int64_t status = number(record, "status");
    const bool accepted = status < 400;

    Explanation explanation;
    explanation.happened = fmt::format("{} asked to {} {} at {} and was {} ({}).", client(record),
                                       verb(method, target), subject(record, target),
                                       json::string_or_empty(record, "time"),
                                       accepted ? "answered" : "refused", status);
    const bool reads = method == "GET" || target.find(".search") != std::string_view::npos;
    if (accepted) {
        explanation.why =
            reads ? "Nothing was to be changed." : accepted_why(record, method, target);
    } else {
        const auto reason = json::string_or_empty(record, "reason");
        for (const auto& cause : kCauses) {
            if (cause.reason != reason) continue;
            explanation.why = naming(idp, cause.why);
            explanation.todo = naming(idp, cause.todo);
        }
        if (const auto other = other_client(record); !other.empty()) {
            explanation.todo = fmt::format(
                "The request {}. If that is who sends them: muster connector set ID idp=IDP.",
                other);
        }
        // The answer names the attribute, the value or the ids that the cause speaks of.
        auto detail = error_detail(record);
        if (explanation.why.empty()) {
            explanation.why = std::move(detail);
        } else if (!detail.empty()) {
            explanation.why += fmt::format(" The answer was: {}", detail);
        }
    }
    for (const auto& text : notes_of(record)) explanation.why += " Note: " + text + ".";
    explanation.sentence = explanation.happened + " " + explanation.why;
    if (!explanation.todo.empty()) explanation.sentence += " " + explanation.todo;
    return explanation;
}

}  // namespace muster::provlog

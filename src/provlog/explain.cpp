#include "provlog/explain.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace muster::provlog {

namespace {

/// In the texts {} stands for the client, {connector} and {token} for their ids; what is in
/// parentheses and begins with "in Okta" is for that client alone.
struct Cause {
    std::string_view reason;  ///< Record::reason
    std::string_view why;
    std::string_view todo;
    std::string_view of = {};  ///< a method or a type of resources; else it is of all
};

// Reasons are either those of authentication (auth::to_string) or SCIM error words. Of two causes
// with one reason the first that fits counts.
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
          "Switch it on again (muster token activate {token}) or use another one in {}."},
    Cause{"expired", "The token has expired.",
          "Renew it (muster token renew {token}) and paste the new secret into {}."},
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
    Cause{"paused", "The connector is paused, so nothing was changed; {} retries by itself.",
          "Resume it (muster connector resume {connector}); if {} gave up meanwhile, retry what "
          "failed there (in Okta under Dashboard > Tasks)."},
    Cause{"uniqueness", "Another group already has that name.",
          "Link the group that is there to the one in {} (in Okta: Push Groups > Link Group), or "
          "rename one of the two; then retry.",
          "Group"},
    Cause{"uniqueness", "Another person already has that name.",
          "Link the existing account to the person in {} (in Okta: import from this app, or assign "
          "the person again), or give one of the two another user name; then retry.",
          "User"},
    Cause{"uniqueness", "Another one already has what only one may have.",
          "Give one of the two another value; then retry."},
    Cause{"unknown-member", "The group names people who were not provisioned here.",
          "Assign those people to the app in {} first, then send the group again (in Okta: Push "
          "Now)."},
    Cause{"not-found", "What was to be deleted is not here (any more).", "Nothing is to be done.",
          "DELETE"},
    Cause{"not-found", "What the request was about does not exist here (any more).",
          "If it was deleted here on purpose, nothing is to be done. Else unlink it in {}, and "
          "assign or push it again."},
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
    Cause{
        "method-not-allowed", "The URL does not take that method.",
        "Changes and deletions name one resource, as in /Users/ID; creations name none. If {} sent "
        "it by itself, check its base URL: it ends in /scim/v2."},
    Cause{"circle", "A group would have become a member of itself.",
          "Leave out the group that leads back to it."},
    Cause{"too-slow", "The request did not arrive in time.",
          "Check the network and the proxies between {} and Muster, then retry."},
    Cause{"behind",
          "The server could not learn from its database in time what other servers changed.",
          "Retry in {}; if it goes on, look at the server's log and its database."},
    Cause{"unavailable",
          "Muster's database could not serve the request just then; nothing was changed.",
          "Retry in {}; if it goes on, look at the server's log, its database and its disk."},
};

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
}

/// A cause's text, of this record and for this client.
std::string told(std::string_view text, const json::Object& record, std::string_view idp) {
    std::string result{text};
    constexpr std::string_view kOktas = " (in Okta";
    for (auto at = result.find(kOktas); idp != "Okta" && at != std::string::npos;
         at = result.find(kOktas)) {
        result.erase(at, result.find(')', at) + 1 - at);
    }
    replace_all(result, "{}", idp);
    for (const std::string_view id : {"connector", "token"}) {
        const auto known = json::string_or_empty(record, id);
        replace_all(result, fmt::format("{{{}}}", id), known.empty() ? "ID" : known);
    }
    return result;
}

/// Of a target, without a query and a slash behind it.
std::string_view path_of(std::string_view target) {
    const auto path = target.substr(0, target.find('?'));
    return path.ends_with('/') ? path.substr(0, path.size() - 1) : path;
}

std::string_view verb(std::string_view method, std::string_view path) {
    if (method == "POST" && path.ends_with("/Bulk")) return "carry out";
    if (method == "POST") return path.ends_with("/.search") ? "search" : "create";
    if (method == "PUT") return "replace";
    if (method == "PATCH") return "change";
    if (method == "DELETE") return "delete";
    return "read";
}

const json::Object* object_in(const json::Object& record, std::string_view name) {
    const auto* value = record.if_contains(name);
    return value == nullptr ? nullptr : value->if_object();
}

/// The elements of a list that are objects.
std::vector<const json::Object*> objects_in(const json::Object& record, std::string_view name) {
    std::vector<const json::Object*> objects;
    const auto* list = record.if_contains(name);
    if (list == nullptr || !list->is_array()) return objects;
    for (const auto& element : list->get_array()) {
        if (const auto* object = element.if_object()) objects.push_back(object);
    }
    return objects;
}

std::string_view type_of(const json::Object& record, std::string_view path) {
    if (const auto* resource = object_in(record, "resource")) {
        return json::string_or_empty(*resource, "type");
    }
    if (path.contains("/Users")) return "User";
    return path.contains("/Groups") ? "Group" : "";
}

/// Whom it was about; as far as that was not found out, whom the request names.
std::string subject(const json::Object& record, std::string_view path) {
    if (const auto* resource = object_in(record, "resource")) {
        const auto display = json::string_or_empty(*resource, "display");
        return fmt::format("{} {}", json::string_or_empty(*resource, "type"),
                           display.empty() ? json::string_or_empty(*resource, "id") : display);
    }
    if (const auto* request = object_in(record, "request")) {
        for (const std::string_view name : {"userName", "displayName"}) {
            const auto named = json::string_or_empty(*request, name);
            if (!named.empty()) return fmt::format("{} ({})", path, named);
        }
    }
    return std::string{path};
}

std::string client(const json::Object& record) {
    const auto agent = json::string_or_empty(record, "user_agent");
    if (agent.find("kta") != std::string_view::npos) return "Okta";
    return agent.empty() ? "A client" : fmt::format("{}", agent);
}

std::string error_detail(const json::Object& record) {
    const auto* response = object_in(record, "response");
    return response == nullptr ? "" : std::string{json::string_or_empty(*response, "detail")};
}

/// What was taken otherwise than it was written, or not taken; but for what the client is known to
/// write, which its dialect is for.
std::vector<std::string> notes_of(const json::Object& record) {
    std::vector<std::string> texts;
    for (const auto* note : objects_in(record, "notes")) {
        if (json::string_or_empty(*note, "rule").starts_with("dialect:")) continue;
        std::string text{json::string_or_empty(*note, "text")};
        while (text.ends_with('.')) text.pop_back();
        if (!text.empty()) texts.push_back(std::move(text));
    }
    return texts;
}

/// What the first step of that stage that begins so says behind it.
std::string_view step_of(const json::Object& record, std::string_view stage,
                         std::string_view begin = {}) {
    for (const auto* step : objects_in(record, "trace")) {
        const auto text = json::string_or_empty(*step, "text");
        if (json::string_or_empty(*step, "step") == stage && text.starts_with(begin)) {
            return text.substr(begin.size());
        }
    }
    return {};
}

std::int64_t number(const json::Object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

/// Sentences about what became of attributes.
class Effects {
  public:
    explicit Effects(const json::Object& record) {
        for (const auto* change : objects_in(record, "changes")) add(*change);
    }

    [[nodiscard]] std::vector<std::string> sentences() const {
        std::vector<std::string> all;
        if (!switched_.empty()) all.push_back(switched_);
        if (!changed_.empty()) all.push_back(fmt::format("Changed: {}.", changed_));
        if (!cleared_.empty()) all.push_back(fmt::format("Cleared: {}.", cleared_));
        return all;
    }

  private:
    void add(const json::Object& change) {
        const auto path = json::string_or_empty(change, "path");
        const auto* after = change.if_contains("after");
        if (path == "active" && after != nullptr && after->is_bool()) {
            switched_ = after->get_bool() ? "Switched on (active)." : "Switched off (not active).";
            return;
        }
        std::string& list = after == nullptr ? cleared_ : changed_;
        if (!list.empty()) list += ", ";
        list += path;
    }

    std::string switched_;
    std::string changed_;
    std::string cleared_;
};

/// What the store wrote (store::log_json_end); nothing where the request changed nothing.
std::string accepted_why(const json::Object& record, std::string_view method,
                         std::string_view path) {
    if (path.ends_with("/Bulk")) {
        const auto done = step_of(record, "decided");
        return done.empty() ? "Each of its operations has a record of its own."
                            : fmt::format("{}.", done);
    }
    const auto written = objects_in(record, "written");
    if (written.empty()) return "Nothing had to be changed.";
    if (method == "DELETE") {
        const auto type = type_of(record, path);
        if (type == "Group") return "It was deleted; who was a member stays.";
        return type == "User" ? "It was deleted, and is in no group any more." : "It was deleted.";
    }
    std::vector<std::string> sentences = Effects(record).sentences();
    if (!step_of(record, "matched", "a deactivated person").empty()) {
        sentences.insert(sentences.begin(),
                         "A deactivated person with this userName and externalId was there and is "
                         "the one again.");
    } else if (method == "POST") {
        sentences = {"It was made."};
    }
    std::int64_t added = 0;
    std::int64_t removed = 0;
    for (const auto* one : written) {
        added += number(*one, "members_added");
        removed += number(*one, "members_removed");
    }
    if (added > 0) sentences.push_back(fmt::format("Members added: {}.", added));
    if (removed > 0) sentences.push_back(fmt::format("Members removed: {}.", removed));
    if (sentences.empty()) return "Nothing was left to be changed.";
    return fmt::format("{}", fmt::join(sentences, " "));
}

std::string read_why(const json::Object& record) {
    std::string why = "Nothing was to be changed.";
    const auto filter = step_of(record, "parsed", "filter ");
    const auto given = step_of(record, "answered");
    if (!filter.empty()) why += fmt::format(" It looked for {}", filter);
    if (!given.empty()) {
        why += filter.empty() ? " It was given " : " and was given ";
        why += given;
    }
    return filter.empty() && given.empty() ? why : why + '.';
}

/// The client that it looks like is not the one that the connector was made for.
std::string todo_about_client(const json::Object& record, std::string_view looks_like) {
    const auto other = looks_like.substr(0, looks_like.find(' '));
    const auto connector = json::string_or_empty(record, "connector");
    return fmt::format(
        "The request looks like {}. If that is who sends them: muster connector set {} idp={}.",
        looks_like, connector.empty() ? "ID" : connector, other);
}

}  // namespace

Explanation explain(const json::Object& record, std::string_view idp) {
    const auto method = json::string_or_empty(record, "method");
    const auto path = path_of(json::string_or_empty(record, "target"));
    const std::int64_t status = number(record, "status");
    const bool accepted = status < 400;

    Explanation explanation;
    const auto own_reason = step_of(record, "itself");
    const auto what = fmt::format("{} {} at {}", verb(method, path), subject(record, path),
                                  json::string_or_empty(record, "time"));
    explanation.happened =
        own_reason.empty()
            ? fmt::format("{} asked to {} and was {} ({}).", client(record), what,
                          accepted ? "answered" : "refused", status)
            : fmt::format("{}'s bulk request made Muster {} ({}).", client(record), what, status);
    const bool reads =
        method == "GET" || method == "HEAD" || method == "OPTIONS" || path.ends_with("/.search");
    if (accepted) {
        explanation.why = reads ? read_why(record) : accepted_why(record, method, path);
    } else {
        const auto type = type_of(record, path);
        const auto cause = std::ranges::find_if(kCauses, [&](const Cause& one) {
            return one.reason == json::string_or_empty(record, "reason") &&
                   (one.of.empty() || one.of == method || one.of == type);
        });
        if (cause != kCauses.end()) {
            explanation.why = told(cause->why, record, idp);
            explanation.todo = told(cause->todo, record, idp);
        }
        if (const auto other = step_of(record, "dialect", "looks like "); !other.empty()) {
            explanation.todo = todo_about_client(record, other);
        }
        // The answer names the attribute, the value or the ids that the cause speaks of.
        auto detail = error_detail(record);
        if (explanation.why.empty()) {
            explanation.why = std::move(detail);
        } else if (!detail.empty()) {
            explanation.why += fmt::format(" The answer was: {}", detail);
        }
    }
    if (!own_reason.empty()) explanation.why.insert(0, fmt::format("{}. ", own_reason));
    for (const auto& text : notes_of(record)) explanation.why += " Note: " + text + ".";
    explanation.sentence = explanation.happened + " " + explanation.why;
    if (!explanation.todo.empty()) explanation.sentence += " " + explanation.todo;
    return explanation;
}

}  // namespace muster::provlog

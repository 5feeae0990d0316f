#include "exchange.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/result.hpp"
#include "base/text.hpp"

namespace muster::scenarios {
namespace {

constexpr std::string_view kAbsent = "!absent";

/// What Okta's client sends with every request; a step's own headers take their place.
const Headers& default_headers() {
    static const Headers headers = {
        {"Authorization", "Bearer {token}"},
        {"Accept", "application/scim+json"},
        {"Accept-Charset", "utf-8"},
        {"User-Agent", "Okta SCIM Client 1.0.0"},
    };
    return headers;
}

bool names(const Headers& headers, std::string_view name) {
    return std::ranges::any_of(
        headers, [&](const auto& header) { return equals_ignoring_case(header.first, name); });
}

bool has_schema(const json::Object& object, std::string_view urn) {
    const json::Value* schemas = object.if_contains("schemas");
    if (schemas == nullptr || !schemas->is_array()) return false;
    return std::ranges::any_of(schemas->get_array(), [&](const json::Value& schema) {
        return schema.is_string() && schema.get_string() == urn;
    });
}

std::optional<json::Object> body_object(const net::ClientResponse& answer) {
    auto body = json::parse(answer.body, {.max_bytes = std::size_t{64} << 20});
    if (!body || !body->is_object()) return std::nullopt;
    return std::move(body->get_object());
}

// RFC 7644 §3.12.
void check_error(const json::Object& body, int status, std::vector<std::string>& breaches) {
    if (!has_schema(body, "urn:ietf:params:scim:api:messages:2.0:Error"))
        breaches.emplace_back("an error must have the Error schema");
    if (json::string_or_empty(body, "status") != std::to_string(status))
        breaches.push_back(fmt::format("an error must hold \"status\": \"{}\"", status));
    if (json::string_or_empty(body, "detail").empty())
        breaches.emplace_back("an error must say what is wrong in \"detail\"");
}

// RFC 7644 §3.4.2: itemsPerPage is what was returned, not what was asked for.
void check_list(const json::Object& body, std::vector<std::string>& breaches) {
    const json::Value* resources = body.if_contains("Resources");
    const json::Value* items = body.if_contains("itemsPerPage");
    const json::Value* total = body.if_contains("totalResults");
    if (total == nullptr || !total->is_int64())
        breaches.emplace_back("a list must hold the number \"totalResults\"");
    const std::size_t returned =
        resources != nullptr && resources->is_array() ? resources->get_array().size() : 0;
    if (items != nullptr &&
        (!items->is_int64() || items->get_int64() != static_cast<std::int64_t>(returned)))
        breaches.push_back(
            fmt::format("itemsPerPage must be {}, the resources returned", returned));
}

// RFC 7643 §3.1, RFC 7644 §3.3 and §3.14.
void check_resource(const json::Object& body, const net::ClientResponse& answer,
                    std::vector<std::string>& breaches) {
    const json::Value* meta = body.if_contains("meta");
    if (meta == nullptr || !meta->is_object()) return;
    const std::string_view version = json::string_or_empty(meta->get_object(), "version");
    const std::string_view location = json::string_or_empty(meta->get_object(), "location");
    if (!version.empty() && answer.header("ETag") != version)
        breaches.push_back(
            fmt::format("ETag '{}' must equal meta.version '{}'", answer.header("ETag"), version));
    if (answer.status == 201 && answer.header("Location") != location)
        breaches.push_back(fmt::format("Location '{}' must equal meta.location '{}'",
                                       answer.header("Location"), location));
}

}  // namespace

std::vector<std::string> breaches_of_every_answer(const net::ClientResponse& answer) {
    std::vector<std::string> breaches;
    if (answer.status == 401 && answer.header("WWW-Authenticate").empty())
        breaches.emplace_back("401 must carry WWW-Authenticate (RFC 9110 §15.5.2)");
    if (answer.body.empty()) {
        if (answer.status >= 400) breaches.emplace_back("an error must have a body");
        return breaches;
    }
    if (answer.status == 204 || answer.status == 304)
        breaches.push_back(fmt::format("{} must have no body", answer.status));
    if (!answer.header("Content-Type").starts_with("application/scim+json"))
        breaches.push_back(fmt::format("the media type must be application/scim+json, not '{}'",
                                       answer.header("Content-Type")));
    const std::optional<json::Object> body = body_object(answer);
    if (!body) {
        breaches.emplace_back("the body must be a JSON object");
    } else if (answer.status >= 400) {
        check_error(*body, answer.status, breaches);
    } else if (has_schema(*body, "urn:ietf:params:scim:api:messages:2.0:ListResponse")) {
        check_list(*body, breaches);
    } else {
        check_resource(*body, answer, breaches);
        if (body->contains("password")) breaches.emplace_back("password must never be returned");
    }
    return breaches;
}

std::string encode_target(std::string_view target) {
    constexpr std::string_view kAsTheyStand =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:/?@!$&'()*+,;=%";
    std::string out;
    for (const char c : target) {
        if (kAsTheyStand.find(c) != std::string_view::npos)
            out += c;
        else
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
}

std::vector<std::string> Exchange::play(const Step& step) {
    for (int n = 1; n <= step.repeat; ++n) {
        variables_.set("n", std::to_string(n));
        std::vector<std::string> wrong = play_once(step);
        if (wrong.empty()) continue;
        if (step.repeat > 1) wrong.push_back(fmt::format("in repetition {}", n));
        return wrong;
    }
    return {};
}

std::expected<void, std::string> Exchange::run(const CommandRun& command) {
    std::vector<std::string> words;
    for (const std::string& word : command.words) {
        TRY_ASSIGN(std::string filled, variables_.fill(word, Variables::Context::Plain));
        words.push_back(std::move(filled));
    }
    TRY_ASSIGN(const json::Object printed, run_command_(std::move(words)));
    for (const auto& [member, value] : printed) {
        if (value.is_string())
            variables_.set(fmt::format("{}.{}", command.name, std::string_view{member}),
                           std::string{value.get_string()});
    }
    return {};
}

std::expected<void, std::string> Exchange::make_list(const ListVariable& list) {
    std::string joined;
    for (int i = list.from; i <= list.to; ++i) {
        std::string item = list.item;
        for (std::size_t at = 0; (at = item.find('#', at)) != std::string::npos;)
            item.replace(at, 1, std::to_string(i));
        TRY_ASSIGN(const std::string filled, variables_.fill(item, Variables::Context::Json));
        if (!joined.empty()) joined += ',';
        joined += filled;
    }
    variables_.set_raw(list.name, std::move(joined));
    return {};
}

std::expected<net::ClientRequest, std::string> Exchange::prepare(const Step& step) {
    for (const CommandRun& command : step.runs) TRY_VOID(run(command));
    for (const ListVariable& list : step.lists) TRY_VOID(make_list(list));

    net::ClientRequest request;
    request.method = step.method;
    const std::string target = step.target.starts_with('/') ? "{base}" + step.target : step.target;
    TRY_ASSIGN(request.target, variables_.fill(target, Variables::Context::Plain));
    TRY_ASSIGN(request.body, variables_.fill(step.body, Variables::Context::Json));
    Headers headers = default_headers();
    if (!request.body.empty())
        headers.emplace_back("Content-Type", "application/scim+json; charset=utf-8");
    std::erase_if(headers, [&](const auto& header) { return names(step.headers, header.first); });
    headers.insert(headers.end(), step.headers.begin(), step.headers.end());
    for (const auto& [name, value] : headers) {
        if (value == kAbsent) continue;
        TRY_ASSIGN(std::string filled, variables_.fill(value, Variables::Context::Plain));
        request.headers.emplace_back(name, std::move(filled));
    }
    return request;
}

std::vector<std::string> Exchange::play_once(const Step& step) {
    auto request = prepare(step);
    if (!request) return {request.error()};
    // SCIM URLs as given out may hold the public name of the server; here it is spoken to directly.
    const bool scim = request->target.find("/scim/v2") != std::string::npos;
    if (const std::size_t scheme = request->target.find("://"); scheme != std::string::npos) {
        const std::size_t path = request->target.find('/', scheme + 3);
        request->target = path == std::string::npos ? "/" : request->target.substr(path);
    }
    request->target = encode_target(request->target);

    const auto answer = client_.send(*request);
    if (!answer) return {answer.error()};
    std::vector<std::string> wrong = compare(step, scim, *answer);
    if (!wrong.empty()) {
        constexpr std::size_t kMost = 2000;
        wrong.push_back(fmt::format("asked:    {} {}", request->method, request->target));
        wrong.push_back(
            fmt::format("answered: {} {}", answer->status, answer->body.substr(0, kMost)));
    }
    return wrong;
}

std::vector<std::string> Exchange::compare(const Step& step, bool scim,
                                           const net::ClientResponse& answer) {
    std::vector<std::string> wrong;
    if (scim) wrong = breaches_of_every_answer(answer);
    if (answer.status != step.status)
        wrong.push_back(fmt::format("expected {}, got {}", step.status, answer.status));
    if (!step.expected_body.empty()) {
        const auto expected = json::parse(step.expected_body);
        if (!expected)
            return {fmt::format("the expected body is no JSON: {}", expected.error().message)};
        const auto actual = json::parse(answer.body, {.max_bytes = std::size_t{64} << 20});
        if (!actual)
            wrong.push_back(fmt::format("the answer is no JSON: {}", actual.error().message));
        else
            match_json(*expected, *actual, "", variables_, wrong);
    }
    for (const auto& [name, pattern] : step.expected_headers) {
        const std::string_view value = answer.header(name);
        const auto wanted = variables_.fill(pattern, Variables::Context::Plain);
        if (!wanted) return {wanted.error()};
        if (*wanted == kAbsent) {
            if (!value.empty())
                wrong.push_back(fmt::format("{} must be absent: '{}'", name, value));
        } else if (wanted->starts_with('@')) {
            variables_.set(wanted->substr(1), std::string{value});
        } else if (value.empty() || !matches_glob(*wanted, value)) {
            wrong.push_back(fmt::format("{}: expected '{}', got '{}'", name, *wanted, value));
        }
    }
    return wrong;
}

}  // namespace muster::scenarios

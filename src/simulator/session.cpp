#include "simulator/session.hpp"

#include <algorithm>
#include <charconv>
#include <thread>

#include <fmt/format.h>

#include "base/crypto.hpp"
#include "base/text.hpp"
#include "scim/schema/schema.hpp"

namespace muster::simulator {

namespace {

constexpr std::chrono::seconds kOktaTimeout{60};
// Okta's documented answer to a 429 whose Retry-After it cannot read.
constexpr std::chrono::seconds kUnreadableRetryAfter{300};
constexpr int kMostAttempts = 10;

std::chrono::seconds retry_after(std::string_view header) {
    int seconds = 0;
    const auto [end, error] =
        std::from_chars(header.data(), header.data() + header.size(), seconds);
    const bool integer = error == std::errc{} && end == header.data() + header.size();
    return integer && seconds >= 0 ? std::chrono::seconds{seconds} : kUnreadableRetryAfter;
}

std::string escape(std::string_view text) {
    constexpr std::string_view kPlain = "-._~";
    std::string escaped;
    for (char c : text) {
        const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                           (c >= 'a' && c <= 'z') || kPlain.find(c) != std::string_view::npos;
        if (plain) {
            escaped.push_back(c);
        } else {
            escaped += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        }
    }
    return escaped;
}

}  // namespace

Auth auth_of(std::string_view word) {
    if (word == "header") return Auth::Header;
    return word == "basic" ? Auth::Basic : Auth::Bearer;
}

std::string authorization(Auth auth, const Secret& secret) {
    std::string text{secret.reveal()};
    switch (auth) {
        case Auth::Bearer:
            return "Bearer " + text;
        case Auth::Basic:
            return "Basic " + to_base64(text);
        case Auth::Header:
            break;
    }
    return text;
}

std::string Reply::text(std::string_view member) const {
    return object() == nullptr ? std::string{}
                               : std::string{json::string_or_empty(*object(), member)};
}

std::int64_t Reply::number(std::string_view member) const {
    const auto* value = object() == nullptr ? nullptr : object()->if_contains(member);
    return value != nullptr && value->is_int64() ? value->get_int64() : -1;
}

const json::Array& Reply::resources() const {
    static const json::Array kNone;
    const auto* value = object() == nullptr ? nullptr : object()->if_contains("Resources");
    return value != nullptr && value->is_array() ? value->get_array() : kNone;
}

std::string match_query(std::string_view attribute, std::string_view value) {
    std::string quoted;
    for (char c : value) {
        if (c == '"' || c == '\\') quoted.push_back('\\');
        quoted.push_back(c);
    }
    return fmt::format("?filter={}&startIndex=1&count=100",
                       escape(fmt::format("{} eq \"{}\"", attribute, quoted)));
}

Session::Session(const OktaOptions& options, StepBook& book)
    : options_(options),
      book_(book),
      base_(net::Url::parse(options.base_url).value_or(net::Url{})),
      authorization_(authorization(options.auth, options.secret)),
      client_(base_, kOktaTimeout) {}

Reply Session::send(std::string_view method, const std::string& path, const json::Value* body) {
    net::ClientRequest request{.method = std::string{method},
                               .target = base_.path + path,
                               .headers = {{"Accept", "application/scim+json"},
                                           {"Accept-Charset", "utf-8"},
                                           {"User-Agent", "Okta SCIM Client 1.0.0"},
                                           {"Authorization", authorization_}},
                               .body = {}};
    if (body != nullptr) {
        request.headers.emplace_back("Content-Type", "application/scim+json; charset=utf-8");
        request.body = json::to_text(*body);
    }
    return attempt(request);
}

Reply Session::send_as(std::string_view authorization, const std::string& path) {
    return attempt({.method = "GET",
                    .target = base_.path + path,
                    .headers = {{"Accept", "application/scim+json"},
                                {"User-Agent", "Okta SCIM Client 1.0.0"},
                                {"Authorization", std::string{authorization}}},
                    .body = {}});
}

Reply Session::attempt(const net::ClientRequest& request) {
    std::chrono::seconds wait{0};
    for (int attempts = 1;; ++attempts) {
        Reply reply{.status = 0,
                    .request = fmt::format("{} {}", request.method,
                                           request.target.substr(base_.path.size())),
                    .raw = {},
                    .document = {}};
        const auto response = client_.send(request);
        if (!response) {
            book_.request({});
            book_.failure(fmt::format("{}: no answer: {}", reply.request, response.error()));
            return reply;
        }
        book_.request(response->elapsed);
        reply.status = response->status;
        reply.raw = response->body;
        if (auto parsed = json::parse(response->body)) reply.document = std::move(*parsed);
        if (reply.status != 429) {
            check_form(reply, *response);
            return reply;
        }
        const auto asked = retry_after(response->header("Retry-After"));
        wait = std::max(asked, wait * 2);
        if (attempts == kMostAttempts || waited_ + wait > options_.patience) {
            expect(false, reply,
                   fmt::format("gave up after {} attempts: 429 (Okta reads Retry-After as integer "
                               "seconds only, waits 5 minutes otherwise, and gives up after ten)",
                               attempts));
            return reply;
        }
        waited_ += wait;
        std::this_thread::sleep_for(wait);
    }
}

void Session::check_form(const Reply& reply, const net::ClientResponse& response) {
    expect(response.elapsed < kOktaTimeout, reply, "Okta gives up after 60 s");
    if (reply.raw.empty()) return;
    const auto type = to_lower_ascii(response.header("Content-Type"));
    expect(type.find("json") != std::string::npos && reply.object() != nullptr, reply,
           "the body is not a JSON object, so Okta shows \"Invalid JSON\" instead of the cause");
    if (reply.status < 400 || reply.object() == nullptr) return;
    const auto* schemas = reply.object()->if_contains("schemas");
    const bool named =
        schemas != nullptr && json::to_text(*schemas).find(scim::kErrorSchema) != std::string::npos;
    expect(named && !reply.text("detail").empty(), reply,
           "the error has not SCIM's form (schemas, detail, status), so Okta's administrator does "
           "not learn the cause");
}

bool Session::expect(bool holds, const Reply& reply, std::string_view why) {
    if (!holds) {
        book_.failure(
            fmt::format("{} answered {}: {}", utf8_prefix(reply.request, 120), reply.status, why));
    }
    return holds;
}

}  // namespace muster::simulator

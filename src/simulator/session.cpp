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

// Okta's; of others nothing is known.
constexpr std::chrono::seconds kTimeout{60};
// Okta's documented answer to a 429 whose Retry-After it cannot read.
constexpr std::chrono::seconds kUnreadableRetryAfter{300};
constexpr int kMostAttempts = 10;

/// Of what was sent and of what came, as much as a report needs.
std::string shown(std::string_view body) {
    constexpr std::size_t kMost = 400;
    const auto kept = utf8_prefix(body, kMost);
    return std::string{kept} + (kept.size() < body.size() ? "…" : "");
}

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

const json::Object* Reply::first_resource() const {
    return resources().empty() ? nullptr : resources().front().if_object();
}

std::string Reply::first_id() const {
    const auto* resource = first_resource();
    return resource == nullptr ? std::string{}
                               : std::string{json::string_or_empty(*resource, "id")};
}

std::string filter_query(std::string_view filter) { return "filter=" + escape(filter); }

std::string equals(std::string_view attribute, std::string_view value) {
    std::string quoted;
    for (char c : value) {
        if (c == '"' || c == '\\') quoted.push_back('\\');
        quoted.push_back(c);
    }
    return fmt::format("{} eq \"{}\"", attribute, quoted);
}

const Manners& manners_of(Client client) {
    static const Manners kOkta{
        .name = "Okta",
        .headers = {{"Accept", "application/scim+json"},
                    {"Accept-Charset", "utf-8"},
                    {"User-Agent", "Okta SCIM Client 1.0.0"}},
        .media_type = "json",
        .at_unreadable = "Okta shows \"Invalid JSON\" instead of the cause",
        .at_429 =
            "Okta reads Retry-After as integer seconds only, waits 5 minutes otherwise, and "
            "gives up after ten"};
    // Microsoft's guide to SCIM endpoints asks for this media type, and its validator ends at
    // another one. Entra was seen to send no User-Agent (kortix-ai/suna#7297).
    static const Manners kEntra{.name = "Entra",
                                .headers = {{"Accept", "application/scim+json"}},
                                .media_type = "application/scim+json",
                                .at_unreadable = "Entra takes the endpoint for incompatible",
                                .at_429 = "Entra puts the operation off to a later cycle"};
    const bool is_okta = client == Client::OktaCatalog || client == Client::OktaWizard;
    return is_okta ? kOkta : kEntra;
}

Session::Session(const Options& options, StepBook& book)
    : options_(options),
      manners_(manners_of(options.client)),
      book_(book),
      base_(net::Url::parse(options.base_url).value_or(net::Url{})),
      authorization_(authorization(options.auth, options.secret)),
      client_(base_, kTimeout) {}

std::vector<Header> Session::headers(std::string_view authorization) const {
    auto headers = manners_.headers;
    headers.emplace_back("Authorization", authorization);
    return headers;
}

Reply Session::send(std::string_view method, const std::string& path, const json::Value* body) {
    net::ClientRequest request{.method = std::string{method},
                               .target = base_.path + path,
                               .headers = headers(authorization_),
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
                    .headers = headers(authorization),
                    .body = {}});
}

Reply Session::attempt(const net::ClientRequest& request) {
    std::chrono::seconds wait{0};
    for (int attempts = 1;; ++attempts) {
        Reply reply{.status = 0,
                    .request = fmt::format("{} {}{}{}", request.method,
                                           request.target.substr(base_.path.size()),
                                           request.body.empty() ? "" : " ", shown(request.body)),
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
                   fmt::format("gave up after {} attempts: 429 ({})", attempts, manners_.at_429));
            return reply;
        }
        waited_ += wait;
        std::this_thread::sleep_for(wait);
    }
}

void Session::check_form(const Reply& reply, const net::ClientResponse& response) {
    if (reply.raw.empty()) return;
    const auto type = to_lower_ascii(response.header("Content-Type"));
    if (!expect(reply.object() != nullptr, reply,
                fmt::format("the body is not a JSON object, so {}", manners_.at_unreadable))) {
        return;
    }
    expect(type.find(manners_.media_type) != std::string::npos, reply,
           fmt::format("Content-Type is \"{}\" where {} wants {}", type, manners_.name,
                       manners_.media_type));
    if (reply.status < 400) return;
    const auto* schemas = reply.object()->if_contains("schemas");
    const bool named =
        schemas != nullptr && json::to_text(*schemas).find(scim::kErrorSchema) != std::string::npos;
    expect(named && !reply.text("detail").empty(), reply,
           "the error has not SCIM's form (schemas, detail, status), so the administrator does not "
           "learn the cause");
}

bool Session::expect(bool holds, const Reply& reply, std::string_view why) {
    if (!holds) {
        book_.failure(fmt::format("{} answered {} {}: {}", reply.request, reply.status,
                                  shown(reply.raw), why));
    }
    return holds;
}

}  // namespace muster::simulator

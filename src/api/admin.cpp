#include "api/admin.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "api/admin_support.hpp"
#include "base/text.hpp"

namespace muster::api {

using http::Method;

std::string AdminRequest::parameter(std::string_view name) const {
    for (const auto& [key, value] : query) {
        if (key == name) return value;
    }
    return {};
}

/// One row of the API's table. `{}` in the pattern stands for one path segment.
struct Admin::Endpoint {
    Method method;
    std::string_view pattern;
    Action action;
};

Admin::Admin(const service::Core& core, service::Directory& directory, const ScimOptions& options,
             std::string version)
    : core_(core),
      directory_(directory),
      options_(options),
      resources_(core),
      bulk_(core, resources_),
      version_(std::move(version)),
      started_(core.clock.now()) {}

namespace {

std::vector<std::string_view> split(std::string_view path) {
    std::vector<std::string_view> parts;
    while (!path.empty()) {
        path.remove_prefix(path.front() == '/' ? 1 : 0);
        const auto end = std::min(path.find('/'), path.size());
        parts.push_back(path.substr(0, end));
        path.remove_prefix(end);
    }
    return parts;
}

/// The segments at the pattern's holes; nothing where the path does not fit.
std::optional<std::vector<std::string>> fit(std::string_view pattern, std::string_view path) {
    const auto wanted = split(pattern);
    const auto given = split(path);
    if (wanted.size() != given.size()) return std::nullopt;
    std::vector<std::string> holes;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        if (wanted[i] == "{}") {
            auto decoded = percent_decode(given[i]);
            if (!decoded) return std::nullopt;
            holes.push_back(std::move(*decoded));
        } else if (wanted[i] != given[i]) {
            return std::nullopt;
        }
    }
    return holes;
}

}  // namespace

Task<AdminResponse> Admin::call(AdminRequest request) const {
    static constexpr std::array kEndpoints{
        Endpoint{Method::Get, "/organisations", &Admin::list_organisations},
        Endpoint{Method::Post, "/organisations", &Admin::create_organisation},
        Endpoint{Method::Get, "/organisations/{}", &Admin::show_organisation},
        Endpoint{Method::Delete, "/organisations/{}", &Admin::delete_organisation},
        Endpoint{Method::Get, "/organisations/{}/definitions", &Admin::show_definitions},
        Endpoint{Method::Put, "/organisations/{}/definitions", &Admin::set_definitions},
        Endpoint{Method::Get, "/connectors", &Admin::list_connectors},
        Endpoint{Method::Post, "/connectors", &Admin::create_connector},
        Endpoint{Method::Get, "/connectors/{}", &Admin::show_connector},
        Endpoint{Method::Patch, "/connectors/{}", &Admin::change_connector},
        Endpoint{Method::Post, "/connectors/{}/pause", &Admin::pause_connector},
        Endpoint{Method::Post, "/connectors/{}/resume", &Admin::resume_connector},
        Endpoint{Method::Post, "/connectors/{}/bulk", &Admin::carry_out_bulk},
        Endpoint{Method::Get, "/tokens", &Admin::list_tokens},
        Endpoint{Method::Post, "/tokens", &Admin::generate_token},
        Endpoint{Method::Post, "/tokens/{}/activate", &Admin::activate_token},
        Endpoint{Method::Post, "/tokens/{}/deactivate", &Admin::deactivate_token},
        Endpoint{Method::Post, "/tokens/{}/renew", &Admin::renew_token},
        Endpoint{Method::Delete, "/tokens/{}", &Admin::remove_token},
        Endpoint{Method::Get, "/users", &Admin::list_users},
        Endpoint{Method::Get, "/users/{}", &Admin::show_user},
        Endpoint{Method::Get, "/groups", &Admin::list_groups},
        Endpoint{Method::Get, "/groups/{}", &Admin::show_group},
        Endpoint{Method::Get, "/log", &Admin::list_log},
        Endpoint{Method::Get, "/log/{}", &Admin::show_log},
        Endpoint{Method::Get, "/log/{}/explain", &Admin::explain_log},
        Endpoint{Method::Get, "/status", &Admin::status},
    };
    bool path_known = false;
    for (const auto& endpoint : kEndpoints) {
        auto segments = fit(endpoint.pattern, request.path);
        path_known = path_known || segments.has_value();
        if (segments && endpoint.method == request.method) {
            co_return co_await (this->*endpoint.action)(request, std::move(*segments));
        }
    }
    if (path_known)
        co_return problem({405, "Method not allowed", "This path takes other methods.", {}});
    co_return not_found("admin path", request.path);
}

namespace {

constexpr std::string_view kBase = "/admin/v1";
/// A bulk request is the longest; its own limits are the SCIM service's.
constexpr std::size_t kMaxBody = std::size_t{8} << 20;

http::Response to_http(AdminResponse answer) {
    http::Response response{.status = answer.status};
    response.content_type = answer.status < 400 ? "application/json" : "application/problem+json";
    response.headers.emplace_back("Cache-Control", "no-store");
    response.body = std::move(answer.body);
    return response;
}

}  // namespace

http::Handler::Admission AdminHandler::admit(const http::RequestHead& head) {
    if (!head.path.starts_with(kBase)) {
        return {.context = {}, .body_limit = 0, .refusal = to_http(not_found("path", head.path))};
    }
    return {.context = {}, .body_limit = kMaxBody, .refusal = {}};
}

Task<http::Response> AdminHandler::handle(const http::RequestHead& head, std::string body,
                                          std::any&) {
    auto query = http::parse_query(head.query);
    if (!query) co_return to_http(problem({400, "Invalid request", "The query is malformed.", {}}));
    AdminRequest request{.method = head.method,
                         .path = std::string{head.path.substr(kBase.size())},
                         .query = std::move(*query),
                         .body = std::move(body),
                         .actor = fmt::format("command line ({})", head.peer)};
    auto answer = co_await admin_.call(std::move(request));
    co_return to_http(std::move(answer));
}

http::Response AdminHandler::fail(const http::RequestHead&, http::Failure, std::any&,
                                  std::string_view cause) {
    report_(cause);
    return to_http(
        problem({500, "Failed", "The request failed; the server's log has the cause.", {}}));
}

http::Response AdminHandler::malformed(int status, std::string_view reason, std::string_view) {
    return to_http(problem({status, "Malformed request", std::string{reason}, {}}));
}

}  // namespace muster::api

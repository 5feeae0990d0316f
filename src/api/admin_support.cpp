#include "api/admin_support.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "scim/error.hpp"

namespace muster::api {

AdminResponse ok(const json::Object& body, int status) {
    return {.status = status, .body = json::to_text(body)};
}

AdminResponse problem(const service::Problem& problem) {
    json::Object body{{"type", "about:blank"},
                      {"title", problem.title},
                      {"status", problem.status},
                      {"detail", problem.detail}};
    if (!problem.remedy.empty()) body["remedy"] = problem.remedy;
    return {.status = problem.status, .body = json::to_text(body)};
}

AdminResponse store_problem(const store::Error& error) {
    return problem({503, "Unavailable", error.message,
                    "Look at the server's log, its database and its disk."});
}

AdminResponse not_found(std::string_view what, std::string_view id) {
    return problem({404, "Not found", fmt::format("There is no {} \"{}\".", what, id), {}});
}

/// The body's string members; a body that is no JSON object is refused.
service::Outcome<json::Object> body_of(const AdminRequest& request) {
    if (request.body.empty()) return json::Object{};
    auto value = json::parse(request.body);
    if (!value || !value->is_object()) {
        return std::unexpected(
            service::Problem{400, "Invalid request", "The body must be a JSON object.", {}});
    }
    return std::move(value->get_object());
}

std::string text_member(const json::Object& object, std::string_view name) {
    return std::string{json::string_or_empty(object, name)};
}

service::Outcome<std::size_t> number_parameter(const AdminRequest& request, std::string_view name,
                                               std::size_t fallback, std::size_t most) {
    const auto text = request.parameter(name);
    if (text.empty()) return fallback;
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc::result_out_of_range) return most;
    if (error != std::errc{} || end != text.data() + text.size()) {
        return std::unexpected(service::Problem{
            400,
            "Invalid request",
            fmt::format("{} must be a whole number, not {}.", name, scim::quoted(text)),
            {}});
    }
    return std::min(value, most);
}

}  // namespace muster::api

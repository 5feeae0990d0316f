#include "support/tenant.hpp"

#include <cstdlib>
#include <stdexcept>

#include <fmt/format.h>

#include "app/application.hpp"
#include "json/json.hpp"

namespace muster::testing {

namespace {

std::string created(const Operator& call, std::string_view path, const std::string& body) {
    auto [status, answer] = call("POST", fmt::format("/admin/v1{}", path), body);
    if (status != 201) throw std::runtime_error(answer);
    return answer;
}

}  // namespace

Tenant make_tenant(const Operator& call, std::string_view name, std::string_view idp) {
    const auto organisation =
        created(call, "/organisations", fmt::format(R"({{"name":"{}"}})", name));
    const auto connector = created(
        call, "/connectors",
        fmt::format(R"({{"org":"{}","idp":"{}"}})", text_member(organisation, "slug"), idp));
    const auto id = text_member(connector, "id");
    const auto token = created(call, "/tokens", fmt::format(R"({{"connector":"{}"}})", id));
    return {.connector = id, .token = text_member(token, "secret")};
}

Tenant make_tenant(const std::filesystem::path& data, std::string_view name, std::string_view idp,
                   const std::string& database) {
    app::ServeOptions options{.data = data};
    if (!database.empty()) options.database = database;
    auto offline = app::Offline::open(options);
    if (!offline) throw std::runtime_error(offline.error());
    return make_tenant(
        [&](std::string_view method, std::string_view target, std::string_view body) {
            return (*offline)->call(method, target, body);
        },
        name, idp);
}

std::string text_member(std::string_view body, std::string_view name) {
    const auto value = json::parse(body);
    if (!value || !value->is_object()) return {};
    return std::string{json::string_or_empty(value->get_object(), name)};
}

std::string log_id(std::string_view body) {
    const std::string_view mark = "(log ";
    const std::string detail = text_member(body, "detail");
    const auto at = detail.find(mark);
    if (at == std::string::npos) return {};
    return detail.substr(at + mark.size(), detail.find(')', at) - at - mark.size());
}

std::filesystem::path make_temporary_directory() {
    auto pattern = (std::filesystem::temp_directory_path() / "muster-test-XXXXXX").string();
    const char* made = ::mkdtemp(pattern.data());
    if (made == nullptr) throw std::runtime_error("cannot make a temporary directory");
    return made;
}

}  // namespace muster::testing

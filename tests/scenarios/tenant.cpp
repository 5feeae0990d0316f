#include "tenant.hpp"

#include <utility>

#include <fmt/format.h>

#include "base/result.hpp"
#include "program.hpp"

namespace muster::scenarios {

Commands::Commands(std::string muster, const std::filesystem::path& data)
    : muster_(std::move(muster)), data_(data.string()) {}

std::expected<json::Object, std::string> Commands::object(std::vector<std::string> words) const {
    words.insert(words.begin(), muster_);
    words.insert(words.end(), {"--data", data_, "--json"});
    TRY_ASSIGN(const std::string output, run_command(words));
    auto value = json::parse(output);
    if (!value || !value->is_object())
        return std::unexpected(fmt::format("not a JSON object: {}", output));
    return std::move(value->get_object());
}

std::expected<Tenant, std::string> make_tenant(const Commands& commands, const std::string& name,
                                               const std::string& idp) {
    TRY_ASSIGN(const json::Object organisation, commands.object({"org", "create", name}));
    const std::string slug{json::string_or_empty(organisation, "slug")};
    TRY_ASSIGN(const json::Object connector,
               commands.object({"connector", "create", "--org", slug, "--idp", idp}));
    const std::string id{json::string_or_empty(connector, "id")};
    TRY_ASSIGN(const json::Object token, commands.object({"token", "generate", "--connector", id}));
    return Tenant{.organisation = slug,
                  .connector = id,
                  .base_url = std::string{json::string_or_empty(connector, "scim_url")},
                  .token = std::string{json::string_or_empty(token, "secret")}};
}

}  // namespace muster::scenarios

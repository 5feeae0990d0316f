#include "service/default_roles.hpp"

#include <array>

#include "base/check.hpp"
#include "scim/resource/resource.hpp"
#include "service/steps.hpp"

namespace muster::service {

namespace {

struct Role {
    std::string_view name;
    std::string_view description;
};
constexpr std::array<Role, 4> kRoles = {{
    {"ReadOnly", "May look at everything and change nothing."},
    {"User", "May work with the product."},
    {"Admin", "May also manage people and settings."},
    {"EnterpriseAdmin", "May also manage what concerns the whole enterprise."},
}};

}  // namespace

std::vector<store::Mutation> make_default_roles(const Core& core) {
    const auto* type = scim::Catalog::standard()->type_named("Role");
    MUSTER_CHECK(type != nullptr);
    const auto now = core.clock.now();
    std::vector<store::Mutation> mutations;
    for (const Role& role : kRoles) {
        const json::Object body{{"schemas", json::Array{scim::kRoleSchema}},
                                {"displayName", role.name},
                                {"description", role.description}};
        auto prepared = scim::prepare(*type, body, nullptr);
        MUSTER_CHECK(prepared.has_value());
        const auto id = uuid_v7(now);
        mutations.emplace_back(
            store::CreateResource{.rid = core.ids.next_key<Rid>(),
                                  .id = id,
                                  .type = type->name,
                                  .source = {},
                                  .now = now,
                                  .active = true,
                                  .display = std::string{role.name},
                                  .document = document_text(prepared->document, id),
                                  .unique = scim::unique_keys(*type, prepared->document),
                                  .index = scim::index_keys(*type, prepared->document),
                                  .members = {}});
    }
    return mutations;
}

}  // namespace muster::service

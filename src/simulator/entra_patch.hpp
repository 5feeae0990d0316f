#pragma once
// How Entra writes its changes: by default in forms of its own, with the flag aadOptscim062020
// closer to RFC 7644. Both as Microsoft documents them ("Known issues and resolutions with SCIM 2.0
// protocol compliance of the Microsoft Entra user provisioning service").

#include <string>
#include <string_view>
#include <vector>

#include "json/json.hpp"

namespace muster::simulator {

/// Changes are objects whose names are the target paths of Entra's attribute mappings
/// (`name.givenName`, `emails[type eq "work"].value`, `urn:…:User:department`), in the order in
/// which they are written.
class EntraPatch {
  public:
    explicit constexpr EntraPatch(bool flagged) : flagged_(flagged) {}

    /// One operation a path; with the flag those without a filter share one that has no path.
    [[nodiscard]] json::Array add(const json::Object& changes) const;
    [[nodiscard]] json::Array replace(const json::Object& changes) const;
    [[nodiscard]] json::Array remove(const std::string& path) const;
    [[nodiscard]] json::Array add_members(const std::vector<std::string>& ids) const;
    /// By value; with the flag by one filter each.
    [[nodiscard]] json::Array remove_members(const std::vector<std::string>& ids) const;

  private:
    [[nodiscard]] json::Array change(std::string_view op, const json::Object& changes) const;
    [[nodiscard]] std::string op(std::string_view name) const;
    /// Booleans as "True" and "False" without the flag.
    [[nodiscard]] json::Value written(const json::Value& value) const;

    bool flagged_;
};

/// What stands in a resource at a mapping's path; null where there is nothing, or more than one
/// element that the path's filter describes.
[[nodiscard]] const json::Value* value_at(const json::Object& resource, std::string_view path);

}  // namespace muster::simulator

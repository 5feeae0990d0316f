#pragma once
// Attributes that no schema has, kept as they came where a connector's policy asks for it: at the
// top of a document or in the object of an extension, behind what the schema has. They are returned
// and can be replaced and removed by name; they are not checked, indexed or filtered by. Internal
// to resource/ and patch/.

#include <string_view>
#include <utility>

#include "json/json.hpp"
#include "scim/error.hpp"
#include "scim/schema/schema.hpp"

namespace muster::scim {

/// Not a password: what is kept is shown.
[[nodiscard]] bool may_be_kept(std::string_view name);

/// Gives `holder` the value; an unassigned one takes the name out. Names are compared without case.
void set_kept(json::Object& holder, std::string_view name, const json::Value& value);

/// The bounds of what one document keeps: 50 names, 16 KiB of values.
class KeptBounds {
  public:
    /// Counts one more. Error: InvalidValue.
    [[nodiscard]] Result<void> count(std::string_view name, const json::Value& value);

    /// Moves the members of `from` for which `known(name)` is false, within the bounds.
    template <class Known>
    [[nodiscard]] Result<void> move(json::Object& from, json::Object& to, Known known) {
        for (auto& member : from) {
            if (known(std::string_view(member.key()))) continue;
            if (auto counted = count(member.key(), member.value()); !counted) return counted;
            to.emplace(member.key(), std::move(member.value()));
        }
        return {};
    }

  private:
    std::size_t names_ = 0;
    std::size_t bytes_ = 0;
};

}  // namespace muster::scim

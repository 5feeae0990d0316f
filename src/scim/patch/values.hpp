#pragma once
// Add, replace and remove at one attribute of one object. Internal to patch/.

#include "json/json.hpp"
#include "scim/error.hpp"
#include "scim/patch/patch.hpp"
#include "scim/resource/normalise.hpp"

namespace muster::scim {

/// Changes the objects that it is given; after an error they are to be thrown away.
class ValuePatcher {
  public:
    using Kind = PatchOperation::Kind;

    /// Borrows the normaliser. `most_looked_at`: PatchLimits::max_looked_at.
    ValuePatcher(const Normaliser& normaliser, std::size_t most_looked_at)
        : normaliser_(normaliser), left_to_look_at_(most_looked_at) {}

    /// Add or replace of the whole attribute: sets a simple value, merges into a complex one, adds
    /// to or replaces a multi-valued one. An unassigned value clears on replace, does nothing on
    /// add.
    [[nodiscard]] Result<void> assign(Kind kind, json::Object& holder, const Attribute& attribute,
                                      const json::Value& given, const Place& place);

    /// Removes the attribute. A value that is not null is refused where a value path could say
    /// which elements are meant (RFC 7644 §3.5.2.2 gives remove none, and to ignore it would remove
    /// them all); of simple values, which no value path selects, it names those to remove.
    [[nodiscard]] Result<void> remove(json::Object& holder, const Attribute& attribute,
                                      const json::Value* named, const Place& place);

    /// Add or replace at the elements that path.element_filter selects (all, where there is none),
    /// or at the sub-attribute of each that the path names. Where it selects none, add creates one.
    [[nodiscard]] Result<void> assign_selected(Kind kind, json::Object& holder,
                                               const PatchPath& path, const json::Value& given,
                                               const Place& place);

    /// Removes the selected elements, or the sub-attribute of each.
    [[nodiscard]] Result<void> remove_selected(json::Object& holder, const PatchPath& path,
                                               const Place& place);

  private:
    /// Refuses to look at elements where too many have been looked at already.
    [[nodiscard]] Result<void> look_at(const json::Array& elements,
                                       const std::optional<Filter>& filter = {});
    [[nodiscard]] Result<void> assign_elements(Kind kind, json::Object& holder,
                                               const Attribute& attribute, const json::Value& given,
                                               const Place& place);
    [[nodiscard]] Result<void> merge(Kind kind, json::Object& target, const Attribute& attribute,
                                     const json::Object& given, const Place& place);
    [[nodiscard]] Result<void> assign_element(Kind kind, json::Object& element,
                                              const PatchPath& path, const json::Value& given,
                                              const Place& place);
    [[nodiscard]] Result<void> replace_element(json::Object& element, const PatchPath& path,
                                               const json::Value& given, const Place& place);
    [[nodiscard]] Result<void> check_count(const json::Array& elements, const Place& place) const;

    const Normaliser& normaliser_;
    std::size_t left_to_look_at_;
};

}  // namespace muster::scim

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

    /// Borrows the normaliser.
    explicit ValuePatcher(const Normaliser& normaliser) : normaliser_(normaliser) {}

    /// Add or replace of the whole attribute: sets a simple value, merges into a complex one, adds
    /// to or replaces a multi-valued one. An unassigned value clears on replace, does nothing on
    /// add.
    [[nodiscard]] Result<void> assign(Kind kind, json::Object& holder, const Attribute& attribute,
                                      const json::Value& given, const Place& place) const;

    /// Removes the attribute. A value that is not null is refused where a value path could say
    /// which elements are meant (RFC 7644 §3.5.2.2 gives remove none, and to ignore it would remove
    /// them all); of simple values, which no value path selects, it names those to remove.
    [[nodiscard]] Result<void> remove(json::Object& holder, const Attribute& attribute,
                                      const json::Value* named, const Place& place) const;

    /// Add or replace at the elements that path.element_filter selects (all, where there is none),
    /// or at the sub-attribute of each that the path names. Where it selects none, add creates one.
    [[nodiscard]] Result<void> assign_selected(Kind kind, json::Object& holder,
                                               const PatchPath& path, const json::Value& given,
                                               const Place& place) const;

    /// Removes the selected elements, or the sub-attribute of each.
    [[nodiscard]] Result<void> remove_selected(json::Object& holder, const PatchPath& path,
                                               const Place& place) const;

  private:
    [[nodiscard]] Result<void> assign_elements(Kind kind, json::Object& holder,
                                               const Attribute& attribute, const json::Value& given,
                                               const Place& place) const;
    [[nodiscard]] Result<void> merge(Kind kind, json::Object& target, const Attribute& attribute,
                                     const json::Object& given, const Place& place) const;
    [[nodiscard]] Result<void> assign_element(Kind kind, json::Object& element,
                                              const PatchPath& path, const json::Value& given,
                                              const Place& place) const;
    [[nodiscard]] Result<void> replace_element(json::Object& element, const PatchPath& path,
                                               const json::Value& given, const Place& place) const;
    [[nodiscard]] Result<void> check_count(const json::Array& elements, const Place& place) const;

    const Normaliser& normaliser_;
};

}  // namespace muster::scim

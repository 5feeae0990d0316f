#pragma once
// `attributes` and `excludedAttributes` (RFC 7644 §3.9), decided per schema's `returned`.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "json/json.hpp"
#include "scim/error.hpp"
#include "scim/schema/path.hpp"

namespace muster::scim {

class Projection {
  public:
    /// Everything that is returned by default.
    Projection() = default;

    /// From the two comma-separated lists; empty means absent. Both given: 400 invalidValue.
    /// Unknown names select and exclude nothing (RFC 7644 §3.9 does not make them an error).
    [[nodiscard]] static Result<Projection> parse(const ResourceType& type,
                                                  std::string_view attributes,
                                                  std::string_view excluded);

    /// No lists were given: the stored text can be returned as it stands.
    [[nodiscard]] bool is_default() const { return mode_ == Mode::Default; }

    /// Whether the whole or a part of this top-level core attribute would be returned; lets the
    /// caller leave out work (members, groups) whose result would be thrown away.
    [[nodiscard]] bool wants(const Attribute& attribute) const;
    /// The same of an extension's.
    [[nodiscard]] bool wants(const AttributePath& path) const;

    /// Removes what is not to be returned from a full resource in schema spelling. `id` and other
    /// "always" attributes stay; "never" ones go; an emptied complex value goes as a whole.
    void apply(const ResourceType& type, json::Object& resource) const;

  private:
    enum class Mode : std::uint8_t { Default, Only, Except };
    /// How much of an attribute the lists name.
    enum class Share : std::uint8_t { None, Part, Whole };

    [[nodiscard]] Share share(const AttributePath& target) const;
    [[nodiscard]] bool wants_unknown(const Schema* extension, std::string_view name) const;
    [[nodiscard]] bool wants_part(const AttributePath& part, bool whole) const;

    Mode mode_ = Mode::Default;
    std::vector<AttributePath> paths_;
    std::vector<std::string> unknown_names_;  ///< in no schema: what is kept may bear them
};

}  // namespace muster::scim

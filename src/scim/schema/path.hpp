#pragma once
// Attribute names as clients write them, resolved against the schema (RFC 7644 §3.10).

#include <optional>
#include <string>
#include <string_view>

#include "scim/error.hpp"
#include "scim/schema/schema.hpp"

namespace muster::scim {

/// A resolved attribute notation. `attribute` is null only where the notation was an extension's
/// bare URN, which names the whole extension object.
struct AttributePath {
    const Schema* extension = nullptr;  ///< null: a core or common attribute
    const Attribute* attribute = nullptr;
    const Attribute* sub_attribute = nullptr;

    friend bool operator==(const AttributePath&, const AttributePath&) = default;
    /// The attribute that is compared or assigned in the end: the sub-attribute if there is one.
    [[nodiscard]] const Attribute& leaf() const {
        return sub_attribute ? *sub_attribute : *attribute;
    }
    /// In the schema's own spelling: "name.givenName", "urn:…:User:department".
    [[nodiscard]] std::string to_string() const;
};

/// Resolves `userName`, `name.givenName`, `urn:…:core:2.0:User:userName`,
/// `urn:…:enterprise:2.0:User`, `urn:…:enterprise:2.0:User:manager.displayName`; also a dot in
/// place of the last colon of a URN (Microsoft's inbound collection writes it). A plain name that
/// no core attribute has may be an extension's (Entra asks for `manager`). Names are compared
/// without case; URNs are matched against known schemas, never split at dots or colons ("2.0" holds
/// one). Unknown: an Error of `kind` (InvalidFilter or InvalidPath) that names it and the nearest
/// match.
[[nodiscard]] Result<AttributePath> resolve(const ResourceType& type, std::string_view text,
                                            ScimType kind);

/// The same without the words: looking for the nearest match costs a hundred times as much.
[[nodiscard]] std::optional<AttributePath> try_resolve(const ResourceType& type,
                                                       std::string_view text);

/// The container in which a path's attribute lives: `document`, or the extension object in it.
/// Null where the extension is absent.
[[nodiscard]] const json::Object* container(const json::Object& document,
                                            const AttributePath& path);
/// The value of path.attribute in `document`, or null. O(1) expected.
[[nodiscard]] const json::Value* find(const json::Object& document, const AttributePath& path);

}  // namespace muster::scim

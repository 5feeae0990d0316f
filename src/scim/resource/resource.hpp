#pragma once
// From what a client sent to what is stored (RFC 7643 §2, RFC 7644 §3.3, §3.5.1).
//
// A *document* is a JSON object in schema spelling with every attribute that is stored: `schemas`
// first, then `id`, `externalId`, core attributes, extension objects. It never holds `meta`,
// `groups`, `members` or `password`: those are rows, derived, or not kept at all.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "json/json.hpp"
#include "scim/error.hpp"
#include "scim/schema/schema.hpp"

namespace muster::scim {

/// What the client asked for that was not done to the letter, in words for the provisioning log:
/// {"okta-password-placeholder", "password was accepted and dropped: passwords are not stored"}.
struct Note {
    std::string rule;
    std::string text;
};

/// How much of a comparison key an index row holds, cut by utf8_prefix.
inline constexpr std::size_t kIndexKeyBytes = 256;

/// A comparison key of the store: `attribute` is the path in lower case, `key` a comparison_key
/// cut to kIndexKeyBytes for index rows (they may over-select) and whole for unique ones.
struct IndexKey {
    std::string attribute;
    std::string key;
    friend auto operator<=>(const IndexKey&, const IndexKey&) = default;
};

/// One changed leaf or multi-valued attribute, values as compact JSON; empty: absent.
struct Change {
    std::string path;
    std::string before;
    std::string after;
};

/// The rule of the note of an attribute that no schema has.
inline constexpr std::string_view kUnknownDropped = "unknown-attribute-dropped";

struct Prepared {
    /// In the memory of the body that it was made of, and so are its copies.
    json::Object document;
    /// Group.members as sent, ids only, in order, without duplicates. Absent: not sent.
    std::optional<std::vector<std::string>> members;
    std::vector<Note> notes;
};

struct PrepareLimits {
    std::size_t max_value_bytes = 65'536;     ///< one string
    std::size_t max_identifier_bytes = 1024;  ///< unique attributes
    std::size_t max_elements = 1'000;         ///< one multi-valued attribute, members apart
    std::size_t max_members = 100'000;        ///< members in one request
    /// Attributes that no schema has are kept as they came, not dropped (kept.hpp).
    bool keep_unknown = false;
};

/// Validates the body of POST or PUT and gives it the schema's spelling. Takes: attribute names in
/// any case; readOnly attributes (dropped); `null`, [] and "" as absent (`members`: null is absent,
/// [] empties); `password` (dropped, noted). Other forms are brought to these by a dialect. Unknown
/// attributes and extensions (but see PrepareLimits::keep_unknown), and elements that hold nothing
/// but type, primary, display or $ref, are dropped and noted. Refuses: wrong types, a missing
/// required attribute (of an extension where anything of it is kept), more than one `primary`,
/// forbidden characters in identifiers, over-limit values, a body that is no object, `schemas`
/// without the core schema. `active` absent on create: true. `current`: the stored document on PUT,
/// null on POST; an absent `active` keeps its value (an omission never switches a person on or
/// off), an immutable attribute may not change.
[[nodiscard]] Result<Prepared> prepare(const ResourceType& type, const json::Value& body,
                                       const json::Object* current,
                                       const PrepareLimits& limits = {});

/// Checks and orders a document after PATCH: required attributes present as in `prepare`, one
/// primary, `schemas` recomputed from the extensions that hold data, members of the object in
/// canonical order, what no schema has as it was behind them.
[[nodiscard]] Result<json::Object> finish_document(const ResourceType& type, json::Object document);

/// One value of `attribute` (an element where it is multi-valued) brought to schema spelling and
/// type, as `prepare` does; used by PATCH. `path` names it in errors.
[[nodiscard]] Result<json::Value> normalise_value(const Attribute& attribute,
                                                  const json::Value& value, std::string_view path,
                                                  std::vector<Note>& notes,
                                                  const PrepareLimits& limits = {});

/// Keys of attributes with uniqueness server or global (whole), and of indexed ones (cut), sorted
/// and without duplicates.
[[nodiscard]] std::vector<IndexKey> unique_keys(const ResourceType& type,
                                                const json::Object& document);
[[nodiscard]] std::vector<IndexKey> index_keys(const ResourceType& type,
                                               const json::Object& document);

/// What differs between two documents, in schema order, then what no schema has.
[[nodiscard]] std::vector<Change> diff(const ResourceType& type, const json::Object& before,
                                       const json::Object& after);

/// Whether `after` has attributes that `before` lacks; and the first of those that a value stored
/// under its name does not fit, for it was written when the attribute was another one or none
/// (empty: all fit).
[[nodiscard]] bool has_more_attributes(const ResourceType& before, const ResourceType& after);
[[nodiscard]] std::string misfit_of(const ResourceType& before, const ResourceType& after,
                                    const json::Object& document);

/// document["active"], true where absent.
[[nodiscard]] bool is_active(const json::Object& document);

}  // namespace muster::scim

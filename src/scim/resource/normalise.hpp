#pragma once
// Values as clients write them, brought to the spelling and the types of the schema. Internal to
// resource/ and patch/; the contract for everybody else is resource.hpp.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "json/json.hpp"
#include "scim/error.hpp"
#include "scim/resource/resource.hpp"
#include "scim/schema/schema.hpp"

namespace muster::scim {

/// Where a value stands, kept in pieces so that only an error or a note pays for the text. Views:
/// the schema and the request outlive it.
struct Place {
    std::string_view extension = {};  ///< URN; empty: the core schema
    std::string_view attribute = {};
    std::string_view sub_attribute = {};

    /// The place of a name inside this one.
    [[nodiscard]] Place at(std::string_view name) const;
    [[nodiscard]] std::string to_string() const;
};

/// Whether a core or common attribute stands in documents as it was sent: not schemas, which is
/// recomputed; not meta, members and groups; nor what is written but never kept.
[[nodiscard]] bool is_stored(const Attribute& attribute);

/// null, [] and "" mean that an attribute has no value (RFC 7643 §2.5; `pr` agrees on the last).
[[nodiscard]] bool is_unassigned(const json::Value& value);

/// Adds a note unless the request has earned very many already.
void add_note(std::vector<Note>& notes, std::string_view rule, std::string text);
/// The first one is always added, in place of another note where there are very many.
void note_unknown(std::vector<Note>& notes, std::string_view place);
void note_kept(std::vector<Note>& notes, std::string_view place);
void note_read_only(std::vector<Note>& notes, std::string_view place);
/// A writeOnly attribute: "password-dropped".
void note_dropped(std::vector<Note>& notes, const Attribute& attribute);

/// "a string", "a number", "an object" and so on, for error details.
[[nodiscard]] std::string_view kind_of(const json::Value& value);

/// One request's normalisation. Borrows the limits and the notes.
class Normaliser {
  public:
    /// The values that it gives lie in `storage`.
    Normaliser(const PrepareLimits& limits, std::vector<Note>& notes,
               boost::json::storage_ptr storage = {})
        : limits_(limits), notes_(notes), storage_(std::move(storage)) {}

    /// The whole value of an attribute: an array where it is multi-valued, null where unassigned.
    [[nodiscard]] Result<json::Value> attribute(const Attribute& attribute,
                                                const json::Value& value, const Place& place) const;
    /// One value, an element where the attribute is multi-valued; null where unassigned.
    [[nodiscard]] Result<json::Value> element(const Attribute& attribute, const json::Value& value,
                                              const Place& place) const;

    [[nodiscard]] const PrepareLimits& limits() const { return limits_; }
    [[nodiscard]] std::vector<Note>& notes() const { return notes_; }

  private:
    [[nodiscard]] Result<json::Value> elements(const Attribute& attribute, const json::Value& value,
                                               const Place& place) const;
    [[nodiscard]] Result<json::Value> complex(const Attribute& attribute, const json::Value& value,
                                              const Place& place) const;
    [[nodiscard]] static Result<json::Value> boolean(const json::Value& value, const Place& place);
    [[nodiscard]] Result<json::Value> text(const Attribute& attribute, const json::Value& value,
                                           const Place& place) const;

    const PrepareLimits& limits_;
    std::vector<Note>& notes_;
    boost::json::storage_ptr storage_;
};

/// The members of an object by the attribute that each belongs to; what belongs to none is noted as
/// dropped, or left to the caller who keeps it. Entries are null where the object lacks the
/// attribute. O(members × attributes), both small.
[[nodiscard]] std::vector<const json::Value*> by_attribute(std::span<const Attribute> attributes,
                                                           const json::Object& object,
                                                           const Place& place,
                                                           std::vector<Note>& notes,
                                                           bool keeps_unknown = false);

/// The ids in the elements of Group.members, in order, without duplicates.
[[nodiscard]] Result<std::vector<std::string>> read_member_ids(const json::Value& value,
                                                               const PrepareLimits& limits);

}  // namespace muster::scim

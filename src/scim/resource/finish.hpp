#pragma once
// The last step to a document, whether it was written anew (prepare) or changed (patch): what holds
// no data goes, and what is required is there. Internal to resource/ and patch/.

#include <expected>
#include <span>
#include <vector>

#include "scim/resource/normalise.hpp"
#include "scim/resource/resource.hpp"

namespace muster::scim {

/// finish_document with notes on what it dropped: elements that say of what type, whether primary
/// or how shown a value is, but hold no value.
[[nodiscard]] Result<json::Object> finish(const ResourceType& type, json::Object document,
                                          std::vector<Note>& notes);

/// Tidies values; notes on what it dropped go to `notes`, which must outlive it.
class Finisher {
  public:
    explicit Finisher(std::vector<Note>& notes) : notes_(notes) {}

    /// The value without its parts that hold no data; null where nothing is left. Error:
    /// InvalidValue where a required part is missing, or two are marked as primary.
    [[nodiscard]] Result<json::Value> tidy(const Attribute& attribute, json::Value&& value,
                                           const Place& place);

    using Wanted = bool (*)(const Attribute&);
    /// The attributes of `from` that `wanted` picks, moved into `to` in the order of the schema.
    [[nodiscard]] Result<void> move_attributes(std::span<const Attribute> attributes,
                                               json::Object& from, json::Object& to,
                                               const Place& place, Wanted wanted);

  private:
    [[nodiscard]] Result<json::Value> tidy_one(const Attribute& attribute, json::Value&& value,
                                               const Place& place);

    std::vector<Note>& notes_;
};

/// Whether a document without the attribute is refused.
[[nodiscard]] bool is_needed(const Attribute& attribute);
[[nodiscard]] std::unexpected<Error> missing(const Place& place);

/// Refuses a change of an immutable attribute, or of an immutable part of a single complex one,
/// that `before` has a value for (RFC 7644 §3.5.1).
[[nodiscard]] Result<void> check_immutable(const ResourceType& type, const json::Object& before,
                                           const json::Object& after);

}  // namespace muster::scim

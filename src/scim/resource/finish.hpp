#pragma once
// The last step to a document: what holds no data goes, and what is required is there. A document
// that was changed (patch) takes it as a whole; one that is written anew (prepare) value by value,
// to the same end. Internal to resource/ and patch/.

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
    /// The attributes of `from` that `wanted` picks, moved tidily into `to` in the order of the
    /// schema. The first that is needed and has no value, or null. Errors: those of tidy.
    [[nodiscard]] Result<const Attribute*> move_attributes(std::span<const Attribute> attributes,
                                                           json::Object& from, json::Object& to,
                                                           const Place& place, Wanted wanted);

  private:
    [[nodiscard]] Result<json::Value> tidy_one(const Attribute& attribute, json::Value&& value,
                                               const Place& place);

    std::vector<Note>& notes_;
};

/// Whether whatever has the attribute must have a value for it: readOnly ones come from elsewhere.
[[nodiscard]] bool is_needed(const Attribute& attribute);
/// Refuses what is without a value that it needs; `needed` may be null.
[[nodiscard]] Result<void> check_needed(const Attribute* needed, const Place& place);
/// Refuses what is kept of an extension. Who has nothing of it need not have what it requires,
/// unless the type requires the extension itself.
[[nodiscard]] Result<void> check_extension(const Extension& extension, const json::Object& kept,
                                           const Attribute* needed);

/// Refuses a change of an immutable attribute, or of an immutable part of a single complex one,
/// that `before` has a value for (RFC 7644 §3.5.1).
[[nodiscard]] Result<void> check_immutable(const ResourceType& type, const json::Object& before,
                                           const json::Object& after);

}  // namespace muster::scim

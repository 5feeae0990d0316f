#pragma once
// The person that `manager` refers to (RFC 7643 §4.3). A document keeps the id alone, as it was
// sent; whether it is somebody's, where they are and what they are called is looked up when a
// person is shown, so that nothing needs to be mended when a manager is renamed or leaves
// (docs/adr/0017).

#include <optional>
#include <string>
#include <string_view>

#include "json/json.hpp"
#include "scim/projection/projection.hpp"
#include "scim/schema/schema.hpp"
#include "store/types.hpp"

namespace muster::service {

/// The text of a manager within a stored document.
struct ManagerText {
    std::string_view whole;  ///< the complex value, a view into the document
    std::string_view value;  ///< manager.value as it stands there, quoted
    /// manager.value; no resource's id needs escapes, so one with them is nobody's.
    [[nodiscard]] std::string id() const;
};

/// O(length of the document), without parsing it: a fraction of a microsecond. Nothing where the
/// person has no manager, or one without a value.
[[nodiscard]] std::optional<ManagerText> manager_in(std::string_view document);

/// manager.value of a document, or empty.
[[nodiscard]] std::string_view manager_of(const json::Object& document);

/// Whether resources of this type have managers and the projection shows them.
[[nodiscard]] bool wants_manager(const scim::ResourceType& type,
                                 const scim::Projection& projection);

}  // namespace muster::service

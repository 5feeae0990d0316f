#pragma once
// What an administrator may set on a connector. Stored as a JSON object of what differs.

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace muster::auth {

enum class UnknownMembers : std::uint8_t { Refuse, Skip };
enum class UnknownAttributes : std::uint8_t { Drop, Keep, Refuse };
enum class OnDelete : std::uint8_t { Retain, Erase };

struct Policy {
    /// A group change that names someone who does not exist here: refuse it with the ids named, or
    /// take the rest and report the skipped ids in the provisioning log.
    UnknownMembers unknown_members = UnknownMembers::Refuse;
    /// An attribute that the schema does not have: drop it, or keep it as it came, and note that
    /// in the provisioning log; or refuse the request with the attribute named.
    UnknownAttributes unknown_attributes = UnknownAttributes::Drop;
    /// DELETE hides a resource and keeps its row for the retention time, or erases it at once.
    OnDelete on_delete = OnDelete::Retain;
    /// POST of a deactivated person with the same userName and externalId, made by this connector:
    /// restore that person, same id (201), instead of 409.
    bool restore_on_create = true;

    /// From the stored JSON; unknown members and values are named in the error.
    [[nodiscard]] static std::expected<Policy, std::string> parse(std::string_view json);
    /// Every setting, its value and its choices as JSON, for `muster connector show`.
    [[nodiscard]] std::string to_json() const;
};

}  // namespace muster::auth

#include "scim/resource/kept.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "scim/resource/normalise.hpp"

namespace muster::scim {

namespace {

constexpr std::size_t kMaxNames = 50;
constexpr std::size_t kMaxBytes = std::size_t{16} << 10;

}  // namespace

bool may_be_kept(std::string_view name) { return !equals_ignoring_case(name, "password"); }

void set_kept(json::Object& holder, std::string_view name, const json::Value& value) {
    const auto held = std::ranges::find_if(holder, [name](const auto& member) {
        return equals_ignoring_case(std::string_view(member.key()), name);
    });
    if (is_unassigned(value)) {
        if (held != holder.end()) holder.stable_erase(held);
    } else if (held != holder.end()) {
        held->value() = value;
    } else {
        holder.emplace(name, value);
    }
}

Result<void> KeptBounds::count(std::string_view name, const json::Value& value) {
    bytes_ += name.size() + json::to_text(value).size();
    if (++names_ > kMaxNames || bytes_ > kMaxBytes) {
        return std::unexpected(invalid_value(
            fmt::format("More is kept of attributes that no schema has than one resource may have: "
                        "{} names, {} bytes. Send fewer, or add them to the schema.",
                        kMaxNames, kMaxBytes)));
    }
    return {};
}

}  // namespace muster::scim

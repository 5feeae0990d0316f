#include "scim/dialect/dialect.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "scim/dialect/rewrites.hpp"
#include "scim/resource/normalise.hpp"

namespace muster::scim {

namespace {

// The order matters where one rewrite makes what another looks at: names before values, an array
// before its elements, and removals and replacements once their values have their shape.

/// Its administrators map attributes by hand, so what arrives is of the type that they chose.
constexpr std::array kOkta = {&kPatchSchema, &kDottedNames, &kReadOnlyInValue,
                              &kBooleanText, &kSingleValue, &kBareValue};

/// With the flag and without: provisioning on demand does not know it, it leaves a manager an id
/// alone, and it is set in Entra's URL where Muster cannot see it. The two names let the log say
/// whether it came as was meant.
constexpr std::array kEntra = {
    &kPatchSchema,     &kOperationCase, &kQuotedLiterals, &kUnquotedText, &kDottedNames,
    &kReadOnlyInValue, &kJsonInText,    &kBooleanText,    &kSingleValue,  &kArrayOfOne,
    &kBareValue,       &kRemoveByValue, &kReplaceCreates};

/// Its administrators write the JSON itself, so most deviations are theirs.
constexpr std::array kOneLogin = {&kOldCoreSchema, &kPatchSchema, &kReadOnlyInValue, &kManagerId,
                                  &kBooleanText,   &kSingleValue, &kBareValue};

constexpr std::array kJumpCloud = {&kPatchSchema, &kReadOnlyInValue, &kSingleValue};
constexpr std::array kPing = {&kPatchSchema, &kUnquotedText, &kReadOnlyInValue, &kSingleValue};
constexpr std::array kGoogle = {&kPatchSchema, &kReadOnlyInValue, &kSingleValue};
constexpr std::array kSailPoint = {&kPatchSchema, &kReadOnlyInValue, &kSingleValue};
constexpr std::array kCyberArk = {&kPatchSchema, &kReadOnlyInValue, &kSingleValue};

constexpr std::array kGeneric = {
    &kOldCoreSchema, &kPatchSchema,     &kOperationCase, &kQuotedLiterals, &kUnquotedText,
    &kDottedNames,   &kReadOnlyInValue, &kManagerId,     &kJsonInText,     &kBooleanText,
    &kSingleValue,   &kArrayOfOne,      &kBareValue,     &kRemoveByValue,  &kReplaceCreates};

constexpr std::array kDialects = {
    Dialect{"okta", "Okta", kOkta},
    Dialect{"entra", "Microsoft Entra ID", kEntra},
    Dialect{"entra-flagged", "Microsoft Entra ID with aadOptscim062020", kEntra},
    Dialect{"onelogin", "OneLogin", kOneLogin},
    Dialect{"jumpcloud", "JumpCloud", kJumpCloud},
    Dialect{"ping", "PingFederate or PingOne", kPing},
    Dialect{"google", "Google Workspace", kGoogle},
    Dialect{"sailpoint", "SailPoint", kSailPoint},
    Dialect{"cyberark", "CyberArk Identity", kCyberArk},
    Dialect{"generic", "SCIM client", kGeneric},
    Dialect{"strict", "SCIM client by the interoperability profile", {}, true},
};

}  // namespace

Result<void> Dialect::rewrite(ClientRequest request, std::vector<Note>& notes) const {
    for (const Rewrite* rewrite : rewrites_) {
        if (!rewrite->apply(request)) continue;
        add_note(notes, fmt::format("dialect:{}", rewrite->name),
                 fmt::format("{} ({}).", rewrite->description, rewrite->source));
    }
    return is_strict_ ? check_interoperability(request) : Result<void>{};
}

std::span<const Dialect> dialects() { return kDialects; }

const Dialect* find_dialect(std::string_view name) {
    const auto found = std::ranges::find(kDialects, name, &Dialect::name);
    return found == kDialects.end() ? nullptr : &*found;
}

const Dialect& generic_dialect() { return *find_dialect("generic"); }

const Dialect& dialect_for(std::string_view idp) {
    const Dialect* own = find_dialect(idp);
    return own == nullptr ? generic_dialect() : *own;
}

bool covers(const Dialect& dialect, std::string_view suggested) {
    const Dialect* other = find_dialect(suggested);
    return dialect.name() == suggested || other == nullptr ||
           (dialect.name() == "entra-flagged" && suggested == "entra");
}

}  // namespace muster::scim

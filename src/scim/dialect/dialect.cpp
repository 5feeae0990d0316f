#include "scim/dialect/dialect.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "scim/dialect/rewrites.hpp"
#include "scim/dialect/visit.hpp"
#include "scim/resource/normalise.hpp"

namespace muster::scim {

namespace {

// The order matters where one rewrite makes what another looks at: names before values, an array
// before its elements, and removals and replacements once their values have their shape. The
// rewrites of values stand together, so that they go through a body once, and from the outside in:
// first whether it is an array, then what a text holds, then the names in it, and at last a text as
// what it is. So deviations may stand within each other, and JSON in a text is opened once.

/// Its administrators map attributes by hand, so what arrives is of the type that they chose.
constexpr std::array kOkta = {&kPatchSchema, &kDottedNames, &kReadOnlyInValue,
                              &kSingleValue, &kBooleanText, &kBareValue};

/// With the flag and without: provisioning on demand does not know it, it leaves a manager an id
/// alone, and it is set in Entra's URL where Muster cannot see it. The two names let the log say
/// whether it came as was meant.
constexpr std::array kEntra = {
    &kPatchSchema,     &kOperationCase, &kQuotedLiterals, &kUnquotedText, &kDottedNames,
    &kReadOnlyInValue, &kSingleValue,   &kArrayOfOne,     &kJsonInText,   &kBooleanText,
    &kBareValue,       &kRemoveByValue, &kReplaceCreates};

/// Its administrators write the JSON itself, so most deviations are theirs.
constexpr std::array kOneLogin = {&kPatchSchema, &kReadOnlyInValue, &kSingleValue, &kOldCoreSchema,
                                  &kManagerId,   &kBooleanText,     &kBareValue};

constexpr std::array kJumpCloud = {&kPatchSchema, &kReadOnlyInValue, &kSingleValue};
constexpr std::array kPing = {&kPatchSchema, &kUnquotedText, &kReadOnlyInValue, &kSingleValue};
constexpr std::array kGoogle = {&kPatchSchema, &kReadOnlyInValue, &kSingleValue};
constexpr std::array kSailPoint = {&kPatchSchema, &kReadOnlyInValue, &kSingleValue};
constexpr std::array kCyberArk = {&kPatchSchema, &kReadOnlyInValue, &kSingleValue};

constexpr std::array kGeneric = {
    &kPatchSchema,     &kOperationCase, &kQuotedLiterals, &kUnquotedText,  &kDottedNames,
    &kReadOnlyInValue, &kSingleValue,   &kArrayOfOne,     &kOldCoreSchema, &kJsonInText,
    &kManagerId,       &kBooleanText,   &kBareValue,      &kRemoveByValue, &kReplaceCreates};

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
    const auto note = [&notes](const Rewrite& rewrite) {
        add_note(notes, fmt::format("dialect:{}", rewrite.name),
                 fmt::format("{} ({}).", rewrite.description, rewrite.source));
    };
    for (auto rest = rewrites_; !rest.empty();) {
        // Those of values that follow each other go through the body together.
        const auto end = std::ranges::find(rest, nullptr, &Rewrite::apply_to_value);
        const auto of_values = rest.first(static_cast<std::size_t>(end - rest.begin()));
        if (of_values.empty()) {
            if (rest.front()->apply(request)) note(*rest.front());
            rest = rest.subspan(1);
            continue;
        }
        const std::vector<bool> fired = rewrite_values(request, of_values);
        for (std::size_t i = 0; i < fired.size(); ++i) {
            if (fired[i]) note(*of_values[i]);
        }
        rest = rest.subspan(of_values.size());
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

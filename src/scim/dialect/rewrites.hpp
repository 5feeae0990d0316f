#pragma once
// The rewrites by themselves; dialect.cpp puts them in order. Internal to dialect/.

#include "scim/dialect/dialect.hpp"

namespace muster::scim {

// filter_rewrites.cpp: comparison values, in filters and in the brackets of PATCH paths.
extern const Rewrite kQuotedLiterals;
extern const Rewrite kUnquotedText;

// operation_rewrites.cpp: the form of a PATCH.
extern const Rewrite kPatchSchema;
extern const Rewrite kOperationCase;
extern const Rewrite kDottedNames;
extern const Rewrite kReadOnlyInValue;
extern const Rewrite kRemoveByValue;
extern const Rewrite kReplaceCreates;

// value_rewrites.cpp: values that do not have the shape of their attribute.
extern const Rewrite kOldCoreSchema;
extern const Rewrite kManagerId;
extern const Rewrite kJsonInText;
extern const Rewrite kBooleanText;
extern const Rewrite kSingleValue;
extern const Rewrite kArrayOfOne;
extern const Rewrite kBareValue;

/// Refuses what the interoperability profile forbids though RFC 7644 allows it.
[[nodiscard]] Result<void> check_interoperability(const ClientRequest& request);

}  // namespace muster::scim

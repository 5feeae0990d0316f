#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/result.hpp"
#include "base/text.hpp"
#include "scim/patch/patch.hpp"
#include "scim/resource/normalise.hpp"

namespace muster::scim {

namespace {

using Kind = PatchOperation::Kind;

constexpr std::array<std::pair<std::string_view, Kind>, 3> kKinds = {{
    {"add", Kind::Add},
    {"replace", Kind::Replace},
    {"remove", Kind::Remove},
}};

bool names_patch_op(const json::Value* schemas) {
    const json::Array* array = schemas == nullptr ? nullptr : schemas->if_array();
    return array != nullptr && std::ranges::any_of(*array, [](const json::Value& urn) {
               const json::String* text = urn.if_string();
               return text != nullptr && equals_ignoring_case(*text, kPatchOp);
           });
}

Result<Kind> parse_kind(const json::Object& operation, std::size_t index) {
    const json::Value* name = json::find_ignoring_case(operation, "op");
    const bool is_text = name != nullptr && name->is_string();
    const std::string_view op = is_text ? std::string_view{name->get_string()} : "";
    const auto found =
        std::ranges::find_if(kKinds, [op](const auto& kind) { return kind.first == op; });
    if (found != kKinds.end()) return found->second;
    return std::unexpected(invalid_syntax(fmt::format(
        "Operation {} has {} as its \"op\". Send add, replace or remove, in lower case.", index,
        op.empty() ? "nothing" : scim::quoted(op))));
}

Result<PatchOperation> parse_operation(const json::Value& value, std::size_t index) {
    const json::Object* object = value.if_object();
    if (object == nullptr) {
        return std::unexpected(invalid_syntax(fmt::format(
            "Operation {} must be an object, but {} was sent.", index, kind_of(value))));
    }
    PatchOperation operation;
    TRY_ASSIGN(operation.kind, parse_kind(*object, index));
    const json::Value* path = json::find_ignoring_case(*object, "path");
    if (path != nullptr && !path->is_null()) {
        if (!path->is_string()) {
            return std::unexpected(invalid_syntax(
                fmt::format("The path of operation {} must be a string, but {} was sent.", index,
                            kind_of(*path))));
        }
        operation.path = std::string_view{path->get_string()};
    }
    if (const json::Value* sent = json::find_ignoring_case(*object, "value")) {
        operation.value = *sent;
    }
    return operation;
}

}  // namespace

Result<std::vector<PatchOperation>> parse_patch(const json::Value& body,
                                                const PatchLimits& limits) {
    const json::Object* object = body.if_object();
    if (object == nullptr) {
        return std::unexpected(invalid_syntax(fmt::format(
            "The body of PATCH must be a JSON object with \"Operations\", but {} was sent.",
            kind_of(body))));
    }
    const json::Value* list = json::find_ignoring_case(*object, "Operations");
    const json::Array* array = list == nullptr ? nullptr : list->if_array();
    if (array == nullptr || array->empty()) {
        return std::unexpected(
            invalid_syntax("The body of PATCH has no operations. Send an array of at least one as "
                           "\"Operations\"."));
    }
    if (array->size() > limits.max_operations) {
        return std::unexpected(too_many(
            fmt::format("{} operations came in one PATCH; at most {} are accepted. Send them in "
                        "several requests.",
                        array->size(), limits.max_operations)));
    }
    if (!names_patch_op(json::find_ignoring_case(*object, "schemas"))) {
        return std::unexpected(invalid_syntax(fmt::format(
            "schemas does not say that this is a PATCH. Send \"schemas\": [\"{}\"].", kPatchOp)));
    }
    std::vector<PatchOperation> operations;
    operations.reserve(array->size());
    for (std::size_t i = 0; i < array->size(); ++i) {
        TRY_ASSIGN(PatchOperation operation, parse_operation((*array)[i], i + 1));
        operations.push_back(std::move(operation));
    }
    return operations;
}

}  // namespace muster::scim

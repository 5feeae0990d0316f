// Values that do not have the shape of their attribute.

#include <algorithm>
#include <string>
#include <utility>

#include "base/text.hpp"
#include "scim/dialect/rewrites.hpp"
#include "scim/dialect/visit.hpp"

namespace muster::scim {

namespace {

constexpr std::string_view kCoreOfVersion1 = "urn:scim:schemas:core:1.0";

bool write_core_schema(const ResourceType& type, const Attribute& attribute, json::Value& value,
                       Part) {
    const json::String* urn = value.if_string();
    if (urn == nullptr || attribute.name != "schemas" || *urn != kCoreOfVersion1) return false;
    value = type.schema->id;
    return true;
}

bool is_nothing(const json::Value& value) {
    const json::String* text = value.if_string();
    return value.is_null() || (text != nullptr && text->empty());
}

bool write_manager_value(const ResourceType&, const Attribute& attribute, json::Value& value,
                         Part) {
    json::Object* manager = value.if_object();
    if (manager == nullptr || attribute.name != "manager") return false;
    json::Value* id = find_member(*manager, "managerId");
    if (id == nullptr || attribute.find("managerId") != nullptr) return false;
    const json::Value* known = find_member(*manager, "value");
    if (known != nullptr && !is_nothing(*known)) return false;
    value = json::Object{{"value", std::move(*id)}};
    return true;
}

/// Nearly every value is none, so this comes before all that costs anything.
bool may_hold_object(const json::Value& value) {
    const json::String* text = value.if_string();
    return text != nullptr && text->starts_with('{');
}

/// Puts the object in a text in the place of the text, or the `value` of the object alone.
bool open_text(json::Value& value, bool value_alone) {
    auto parsed = json::parse(value.get_string());
    if (!parsed || !parsed->is_object()) return false;
    if (!value_alone) {
        value = *std::move(parsed);
        return true;
    }
    json::Value* text = find_member(parsed->get_object(), "value");
    if (text == nullptr || !text->is_string()) return false;
    value = std::move(*text);
    return true;
}

/// `"{\"value\":\"admin\"}"`, or the same as the `value` of an element. Not both: what came out of
/// a text is not opened again.
bool open_json_text(const ResourceType&, const Attribute& attribute, json::Value& value,
                    Part part) {
    if (attribute.type != Type::Complex) {
        return part == Part::Named && may_hold_object(value) &&
               equals_ignoring_case(attribute.name, "value") && open_text(value, true);
    }
    json::Object* element = value.if_object();
    if (element == nullptr) return may_hold_object(value) && open_text(value, false);
    json::Value* inner = find_member(*element, "value");
    if (inner == nullptr) return false;
    // An array of one is taken out of its array when it is its turn.
    json::Array* array = inner->if_array();
    if (array != nullptr && array->size() == 1) inner = &array->front();
    if (!may_hold_object(*inner)) return false;
    const Attribute* sub = attribute.find("value");
    return sub != nullptr && !sub->multi_valued && open_text(*inner, true);
}

bool write_boolean(const ResourceType&, const Attribute& attribute, json::Value& value, Part) {
    const json::String* text = value.if_string();
    if (text == nullptr || attribute.type != Type::Boolean) return false;
    const bool is_true = equals_ignoring_case(*text, "true");
    if (!is_true && !equals_ignoring_case(*text, "false")) return false;
    value = is_true;
    return true;
}

bool wrap_single_value(const ResourceType&, const Attribute& attribute, json::Value& value,
                       Part part) {
    if (!is_all(part) || !attribute.multi_valued) return false;
    if (value.is_array() || is_nothing(value)) return false;
    json::Array array;
    array.push_back(std::move(value));
    value = std::move(array);
    return true;
}

bool unwrap_array(const ResourceType&, const Attribute& attribute, json::Value& value, Part part) {
    const bool is_one = part == Part::Selected || (is_all(part) && !attribute.multi_valued);
    json::Array* array = value.if_array();
    if (!is_one || array == nullptr || array->size() != 1) return false;
    json::Value only = std::move(array->front());
    value = std::move(only);
    return true;
}

bool wrap_bare_value(const ResourceType&, const Attribute& attribute, json::Value& value, Part) {
    const json::String* text = value.if_string();
    if (text == nullptr || text->empty() || attribute.type != Type::Complex) return false;
    if (attribute.find("value") == nullptr) return false;
    value = json::Object{{"value", *text}};
    return true;
}

}  // namespace

const Rewrite kOldCoreSchema{
    .name = "old-core-schema",
    .client = "OneLogin",
    .source = "scim.dev, guide to OneLogin",
    .description = "schemas named the core schema of SCIM 1.1, which was taken as that of SCIM 2.0",
    .apply_to_value = write_core_schema};

const Rewrite kManagerId{.name = "manager-id",
                         .client = "OneLogin",
                         .source = "scim.dev, guide to OneLogin",
                         .description =
                             "manager.managerId, the name that SCIM 1.1 had, was taken "
                             "as manager.value",
                         .apply_to_value = write_manager_value};

const Rewrite kJsonInText{.name = "json-in-text",
                          .client = "Entra",
                          .source = "Captain-P-Goldfish/SCIM-SDK#516",
                          .description =
                              "a text that held a JSON object was taken as that object, or as its "
                              "\"value\" where a value was due",
                          .apply_to_value = open_json_text};

const Rewrite kBooleanText{.name = "boolean-text",
                           .client = "Entra, Keycloak",
                           .source = "thomaspoignant/scim-patch#872",
                           .description = "\"True\" or \"False\" as a text was taken as a boolean",
                           .apply_to_value = write_boolean};

const Rewrite kSingleValue{
    .name = "single-value",
    .client = "several",
    .source = "RFC 7643 §2.4",
    .description = "a single value of a multi-valued attribute was taken as an array of one",
    .apply_to_value = wrap_single_value};

const Rewrite kArrayOfOne{
    .name = "array-of-one",
    .client = "Entra",
    .source = "MicrosoftDocs/azure-docs#11784",
    .description = "an array of one was taken as the single value that the attribute has",
    .apply_to_value = unwrap_array};

const Rewrite kBareValue{
    .name = "bare-value",
    .client = "Entra",
    .source = "Captain-P-Goldfish/SCIM-SDK#541",
    .description = "a bare text, such as a manager's id, was taken as the \"value\" of its object",
    .apply_to_value = wrap_bare_value};

}  // namespace muster::scim

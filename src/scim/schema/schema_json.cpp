// How schemas and resource types look on the wire (RFC 7643 §6, §7).

#include <array>
#include <utility>

#include <fmt/format.h>

#include "scim/schema/schema.hpp"

namespace muster::scim {

namespace {

constexpr std::string_view kSchemaSchema = "urn:ietf:params:scim:schemas:core:2.0:Schema";
constexpr std::string_view kResourceTypeSchema =
    "urn:ietf:params:scim:schemas:core:2.0:ResourceType";

// Each in the order of its enumeration.
constexpr std::array<std::string_view, 8> kTypes = {"string",   "boolean", "decimal",   "integer",
                                                    "dateTime", "binary",  "reference", "complex"};
constexpr std::array<std::string_view, 4> kMutabilities = {"readWrite", "readOnly", "immutable",
                                                           "writeOnly"};
constexpr std::array<std::string_view, 4> kReturned = {"default", "always", "never", "request"};
constexpr std::array<std::string_view, 3> kUniqueness = {"none", "server", "global"};

json::Array to_array(const std::vector<Attribute>& attributes);

bool is_text(Type type) {
    return type == Type::String || type == Type::Reference || type == Type::Binary;
}

json::Array to_array(const std::vector<std::string>& texts) {
    return json::Array(texts.begin(), texts.end());
}

json::Object to_object(const Attribute& attribute) {
    json::Object object;
    object["name"] = attribute.name;
    object["type"] = to_string(attribute.type);
    object["multiValued"] = attribute.multi_valued;
    object["description"] = attribute.description;
    object["required"] = attribute.required;
    if (!attribute.canonical_values.empty()) {
        object["canonicalValues"] = to_array(attribute.canonical_values);
    }
    if (is_text(attribute.type)) object["caseExact"] = attribute.case_exact;
    object["mutability"] = kMutabilities.at(std::to_underlying(attribute.mutability));
    object["returned"] = kReturned.at(std::to_underlying(attribute.returned));
    object["uniqueness"] = kUniqueness.at(std::to_underlying(attribute.uniqueness));
    if (!attribute.reference_types.empty()) {
        object["referenceTypes"] = to_array(attribute.reference_types);
    }
    if (attribute.type == Type::Complex) {
        object["subAttributes"] = to_array(attribute.sub_attributes);
    }
    return object;
}

json::Array to_array(const std::vector<Attribute>& attributes) {
    json::Array array;
    array.reserve(attributes.size());
    for (const Attribute& attribute : attributes) array.emplace_back(to_object(attribute));
    return array;
}

json::Object meta(std::string_view resource_type, std::string location) {
    return {{"resourceType", resource_type}, {"location", std::move(location)}};
}

}  // namespace

std::string_view to_string(Type type) { return kTypes.at(std::to_underlying(type)); }

json::Object to_json(const Schema& schema, std::string_view base_url) {
    json::Object object;
    object["schemas"] = json::Array{kSchemaSchema};
    object["id"] = schema.id;
    object["name"] = schema.name;
    object["description"] = schema.description;
    object["attributes"] = to_array(schema.attributes);
    object["meta"] = meta("Schema", fmt::format("{}/Schemas/{}", base_url, schema.id));
    return object;
}

json::Object to_json(const ResourceType& type, std::string_view base_url) {
    json::Object object;
    object["schemas"] = json::Array{kResourceTypeSchema};
    object["id"] = type.id;
    object["name"] = type.name;
    object["endpoint"] = type.endpoint;
    object["description"] = type.description;
    object["schema"] = type.schema->id;
    json::Array extensions;
    for (const Extension& extension : type.extensions) {
        extensions.push_back(
            json::Object{{"schema", extension.schema->id}, {"required", extension.required}});
    }
    object["schemaExtensions"] = std::move(extensions);
    object["meta"] = meta("ResourceType", fmt::format("{}/ResourceTypes/{}", base_url, type.id));
    return object;
}

}  // namespace muster::scim

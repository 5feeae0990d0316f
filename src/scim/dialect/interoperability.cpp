// What draft-zollner-scim-interop-profile forbids a client: operations without a path, and
// attributes that no schema has.

#include <string>

#include <fmt/format.h>

#include "base/result.hpp"
#include "scim/dialect/rewrites.hpp"
#include "scim/dialect/visit.hpp"

namespace muster::scim {

namespace {

std::unexpected<Error> unknown_attribute(std::string_view name) {
    return std::unexpected(invalid_syntax(
        fmt::format("{} is no attribute of the schema, and this connector is strict. Leave it out, "
                    "or give the connector its client's dialect.",
                    scim::quoted(name))));
}

Result<void> check_parts(const Attribute& attribute, const json::Value& value);

Result<void> check_names(const json::Object& object, auto find) {
    for (const auto& member : object) {
        const Attribute* attribute = find(std::string_view{member.key()});
        if (attribute == nullptr) return unknown_attribute(member.key());
        TRY_VOID(check_parts(*attribute, member.value()));
    }
    return {};
}

Result<void> check_parts(const Attribute& attribute, const json::Value& value) {
    if (attribute.type != Type::Complex) return {};
    if (const json::Array* array = value.if_array()) {
        // No array of arrays is a value of any attribute: the core refuses it.
        for (const json::Value& element : *array) {
            if (element.is_object()) TRY_VOID(check_parts(attribute, element));
        }
        return {};
    }
    const json::Object* object = value.if_object();
    if (object == nullptr) return {};
    return check_names(*object, [&](std::string_view name) { return attribute.find(name); });
}

Result<void> check_resource(const ResourceType& type, const json::Object& body) {
    for (const auto& member : body) {
        const std::string_view name = member.key();
        if (const Schema* extension = type.extension(name)) {
            const json::Object* object = member.value().if_object();
            if (object == nullptr) continue;
            TRY_VOID(check_names(*object, [&](std::string_view n) { return extension->find(n); }));
        } else if (const Attribute* attribute = type.find(name)) {
            TRY_VOID(check_parts(*attribute, member.value()));
        } else {
            return unknown_attribute(name);
        }
    }
    return {};
}

Result<void> check_operation(const ResourceType& type, const OperationView& operation) {
    if (operation.path.empty()) {
        return std::unexpected(invalid_syntax(
            "An operation has no path, and this connector is strict. Name the attribute in path, "
            "or give the connector its client's dialect."));
    }
    const auto path = path_of(type, operation.path);
    if (!path || operation.value == nullptr) return {};
    if (path->target.attribute != nullptr) {
        return check_parts(path->target.leaf(), *operation.value);
    }
    const json::Object* object = operation.value->if_object();
    if (object == nullptr) return {};
    const Schema& extension = *path->target.extension;
    return check_names(*object, [&](std::string_view name) { return extension.find(name); });
}

}  // namespace

Result<void> check_interoperability(const ClientRequest& request) {
    if (request.body == nullptr || request.verb == Verb::Query) return {};
    if (request.verb != Verb::Patch) {
        const json::Object* body = request.body->if_object();
        return body == nullptr ? Result<void>{} : check_resource(request.type, *body);
    }
    ClientRequest patch = request;
    json::Array* operations = operations_of(patch);
    if (operations == nullptr) return {};
    for (json::Value& each : *operations) {
        const auto operation = view_of(each);
        if (operation) TRY_VOID(check_operation(request.type, *operation));
    }
    return {};
}

}  // namespace muster::scim

#include "conform/features.hpp"

#include <optional>
#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"
#include "conform/reader.hpp"

namespace muster::conform {
namespace {

constexpr std::string_view kConfigFeatures[] = {"patch",          "bulk", "filter",
                                                "changePassword", "sort", "etag"};

const json::Object* object_in(const json::Object& object, std::string_view name) {
    const json::Value* found = object.if_contains(name);
    return found != nullptr && found->is_object() ? &found->get_object() : nullptr;
}

std::vector<const json::Object*> objects_in(const json::Object& object, std::string_view name) {
    std::vector<const json::Object*> out;
    const json::Value* found = object.if_contains(name);
    if (found == nullptr || !found->is_array()) return out;
    for (const json::Value& element : found->get_array()) {
        if (element.is_object()) out.push_back(&element.get_object());
    }
    return out;
}

bool is_true(const json::Object& object, std::string_view name) {
    const json::Value* found = object.if_contains(name);
    return found != nullptr && found->is_bool() && found->get_bool();
}

/// "urn:…:core:2.0:User" as "user".
std::string last_part(std::string_view urn) {
    return to_lower_ascii(urn.substr(urn.rfind(':') + 1));
}

net::ClientRequest request_for(std::string method, std::string target, const Headers& headers) {
    net::ClientRequest request;
    request.method = std::move(method);
    request.target = std::move(target);
    request.headers = headers;
    return request;
}

std::optional<json::Object> document(const Send& send, const Headers& headers,
                                     const std::string& target) {
    const auto answer = send(request_for("GET", target, headers));
    if (!answer || answer->status != 200) return std::nullopt;
    auto body = read_body(answer->body);
    if (!body || !body->is_object()) return std::nullopt;
    return std::move(body->get_object());
}

/// RFC 7644 §3.11 and §3.4.3: who has no such endpoint says so with 501; many answer 404 or 405.
bool offers(const Send& send, const net::ClientRequest& request) {
    const auto answer = send(request);
    return answer && answer->status != 501 && answer->status != 404 && answer->status != 405 &&
           answer->status != 403;
}

const json::Object* pointer_to(const std::optional<json::Object>& object) {
    return object ? &*object : nullptr;
}

}  // namespace

Features Features::read(const Send& send, const Headers& headers, const std::string& base_path) {
    const auto config = document(send, headers, base_path + "/ServiceProviderConfig");
    const auto types = document(send, headers, base_path + "/ResourceTypes");
    const auto schemas = document(send, headers, base_path + "/Schemas");
    Features features = of(pointer_to(config), pointer_to(types), pointer_to(schemas));
    if (offers(send, request_for("GET", base_path + "/Me", headers)))
        features.supported_.insert("me");
    if (offers(send, request_for("GET", base_path + "/?count=1", headers)))
        features.supported_.insert("rootquery");
    auto search = request_for("POST", base_path + "/.search", headers);
    search.headers.emplace_back("Content-Type", "application/scim+json");
    search.body = R"({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],)"
                  R"( "count": 1})";
    if (offers(send, search)) features.supported_.insert("rootsearch");
    search.target = base_path + "/Users/.search";
    if (offers(send, search)) features.supported_.insert("search");
    return features;
}

Features Features::of(const json::Object* config, const json::Object* types,
                      const json::Object* schemas) {
    Features features;
    if (config != nullptr) features.take_config(*config);
    if (types != nullptr) features.take_types(*types);
    if (schemas != nullptr) features.take_schemas(*schemas);
    return features;
}

void Features::take_config(const json::Object& config) {
    config_read_ = true;
    for (const std::string_view name : kConfigFeatures) {
        const json::Object* feature = object_in(config, name);
        if (feature == nullptr) continue;
        if (is_true(*feature, "supported")) supported_.insert(to_lower_ascii(name));
        for (const auto& [member, value] : *feature) {
            if (value.is_int64())
                numbers_[fmt::format("{}.{}", name, std::string_view{member})] =
                    std::to_string(value.get_int64());
        }
    }
    const json::Object* pagination = object_in(config, "pagination");
    // RFC 9865 §3: before it there was the index only.
    if (pagination == nullptr || is_true(*pagination, "index"))
        supported_.insert("pagination.index");
    if (pagination != nullptr && is_true(*pagination, "cursor"))
        supported_.insert("pagination.cursor");
}

void Features::take_types(const json::Object& types) {
    types_read_ = true;
    for (const json::Object* type : objects_in(types, "Resources")) {
        const std::string name = to_lower_ascii(json::string_or_empty(*type, "name"));
        types_.insert(name);
        for (const json::Object* extension : objects_in(*type, "schemaExtensions"))
            types_.insert(
                fmt::format("{}+{}", name, last_part(json::string_or_empty(*extension, "schema"))));
    }
}

void Features::take_schemas(const json::Object& schemas) {
    schemas_read_ = true;
    for (const json::Object* schema : objects_in(schemas, "Resources")) {
        const std::string id{json::string_or_empty(*schema, "id")};
        // Two schemas are called User; the extension's attributes are those of "enterprise".
        const std::string owner =
            id.contains(":enterprise:") ? std::string{"enterprise"} : last_part(id);
        for (const json::Object* attribute : objects_in(*schema, "attributes")) {
            const std::string name =
                fmt::format("{}:{}", owner, json::string_or_empty(*attribute, "name"));
            attributes_.insert(to_lower_ascii(name));
            for (const json::Object* sub : objects_in(*attribute, "subAttributes"))
                attributes_.insert(to_lower_ascii(
                    fmt::format("{}.{}", name, json::string_or_empty(*sub, "name"))));
        }
    }
}

bool Features::declares(std::string_view need) const {
    if (need.starts_with('!')) return !declares(need.substr(1));
    constexpr std::string_view kType = "type ";
    constexpr std::string_view kAttribute = "attribute ";
    if (need.starts_with(kType))
        return !types_read_ || types_.contains(to_lower_ascii(need.substr(kType.size())));
    if (need.starts_with(kAttribute))
        return !schemas_read_ ||
               attributes_.contains(to_lower_ascii(need.substr(kAttribute.size())));
    const bool by_look =
        need == "me" || need == "rootquery" || need == "rootsearch" || need == "search";
    return (!config_read_ && !by_look) || supported_.contains(to_lower_ascii(need));
}

void Features::set_variables(Variables& variables) const {
    for (const auto& [name, number] : numbers_) variables.set(name, number);
}

}  // namespace muster::conform

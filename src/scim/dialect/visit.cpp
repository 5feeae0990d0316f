#include "scim/dialect/visit.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"

namespace muster::scim {

namespace {

class Visitor {
  public:
    Visitor(const ResourceType& type, std::span<const Rewrite* const> rewrites)
        : type_(type), rewrites_(rewrites), fired_(rewrites.size()) {}

    [[nodiscard]] std::vector<bool> fired() && { return std::move(fired_); }

    /// An object whose names are attributes, extensions, or (in a PATCH) paths.
    void names(json::Object& object, const Schema* extension) {
        for (auto& member : object) {
            const std::string_view name = member.key();
            const Attribute* attribute =
                extension != nullptr ? extension->find(name) : type_.find(name);
            if (attribute != nullptr) {
                value(*attribute, member.value(), Part::Whole);
            } else if (extension != nullptr) {
                continue;
            } else if (const Schema* named = type_.extension(name)) {
                if (json::Object* within = member.value().if_object()) names(*within, named);
            } else {
                if (const auto path = path_of(type_, name)) at(*path, member.value());
            }
        }
    }

    void at(const PatchPath& path, json::Value& given) {
        const AttributePath& target = path.target;
        if (target.attribute == nullptr) {
            if (json::Object* object = given.if_object()) names(*object, target.extension);
        } else if (target.sub_attribute != nullptr) {
            value(*target.sub_attribute, given, Part::Named);
        } else {
            value(*target.attribute, given, path.element_filter ? Part::Selected : Part::Whole);
        }
    }

  private:
    /// Depth is bounded by the schema's: a sub-attribute has none of its own.
    void value(const Attribute& attribute, json::Value& given, Part part) {
        for (std::size_t i = 0; i < rewrites_.size(); ++i) {
            if (rewrites_[i]->apply_to_value(type_, attribute, given, part)) fired_[i] = true;
        }
        json::Array* array = given.if_array();
        if (is_all(part) && attribute.multi_valued && array != nullptr) {
            for (json::Value& element : *array) value(attribute, element, Part::Element);
            return;
        }
        json::Object* object = given.if_object();
        if (object == nullptr) return;
        for (auto& member : *object) {
            const Attribute* sub = attribute.find(member.key());
            if (sub != nullptr) value(*sub, member.value(), Part::Whole);
        }
    }

    const ResourceType& type_;
    std::span<const Rewrite* const> rewrites_;
    std::vector<bool> fired_;
};

}  // namespace

json::Value* find_member(json::Object& object, std::string_view name) {
    const auto found = std::ranges::find_if(object, [name](const auto& member) {
        return equals_ignoring_case(std::string_view{member.key()}, name);
    });
    return found == object.end() ? nullptr : &found->value();
}

json::Array* operations_of(ClientRequest& request) {
    json::Object* body =
        request.verb == Verb::Patch && request.body ? request.body->if_object() : nullptr;
    json::Value* list = body == nullptr ? nullptr : find_member(*body, "Operations");
    return list == nullptr ? nullptr : list->if_array();
}

bool OperationView::is(std::string_view name) const { return equals_ignoring_case(op, name); }

std::optional<OperationView> view_of(json::Value& operation) {
    json::Object* object = operation.if_object();
    json::Value* op = object == nullptr ? nullptr : find_member(*object, "op");
    if (op == nullptr || !op->is_string()) return std::nullopt;
    json::Value* path = find_member(*object, "path");
    const json::String* text = path == nullptr ? nullptr : path->if_string();
    return OperationView{.op = op->get_string(),
                         .path = text == nullptr ? std::string_view{} : std::string_view{*text},
                         .value = find_member(*object, "value")};
}

std::optional<PatchPath> path_of(const ResourceType& type, std::string_view text) {
    if (!try_resolve(type, text.substr(0, text.find('[')))) return std::nullopt;
    auto path = parse_patch_path(type, text);
    if (!path) return std::nullopt;
    return *std::move(path);
}

std::vector<bool> rewrite_values(ClientRequest& request, std::span<const Rewrite* const> rewrites) {
    Visitor visitor(request.type, rewrites);
    if (request.body == nullptr || request.verb == Verb::Query) return std::move(visitor).fired();
    if (request.verb != Verb::Patch) {
        if (json::Object* body = request.body->if_object()) visitor.names(*body, nullptr);
        return std::move(visitor).fired();
    }
    json::Array* operations = operations_of(request);
    if (operations == nullptr) return std::move(visitor).fired();
    for (json::Value& each : *operations) {
        const auto operation = view_of(each);
        if (!operation || operation->value == nullptr) continue;
        if (!operation->path.empty()) {
            const auto path = path_of(request.type, operation->path);
            if (path) visitor.at(*path, *operation->value);
        } else if (json::Object* names = operation->value->if_object()) {
            visitor.names(*names, nullptr);
        }
    }
    return std::move(visitor).fired();
}

}  // namespace muster::scim

#include <algorithm>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "base/result.hpp"
#include "base/text.hpp"
#include "scim/patch/members.hpp"
#include "scim/patch/patch.hpp"
#include "scim/patch/values.hpp"
#include "scim/resource/finish.hpp"
#include "scim/resource/kept.hpp"
#include "scim/resource/normalise.hpp"

namespace muster::scim {

namespace {

using Kind = PatchOperation::Kind;

/// Finding out that a name is unknown includes looking for the nearest one.
constexpr int kMaxUnknownNames = 50;

bool is_protected(const AttributePath& path) {
    return path.attribute->mutability == Mutability::ReadOnly ||
           path.leaf().mutability == Mutability::ReadOnly ||
           (path.extension == nullptr && path.attribute->name == "schemas");
}

class Patcher {
  public:
    Patcher(const ResourceType& type, const json::Object& current, const PatchLimits& limits)
        : type_(type),
          current_(current),
          limits_(limits),
          document_(current),
          normaliser_(limits.values, notes_),
          values_(normaliser_, limits.max_looked_at) {}

    Result<Patched> run(const std::vector<PatchOperation>& operations) {
        for (const PatchOperation& operation : operations) TRY_VOID(apply(operation));
        TRY_ASSIGN(json::Object document, finish(type_, std::move(document_), notes_));
        TRY_VOID(check_immutable(type_, current_, document));
        TRY_VOID(check_cleared_extensions(document));
        return Patched{.document = std::move(document),
                       .members = std::move(members_).take(),
                       .notes = std::move(notes_)};
    }

  private:
    Result<void> apply(const PatchOperation& operation) {
        const json::Value* value = operation.value ? &*operation.value : nullptr;
        if (operation.kind == Kind::Remove && operation.path.empty()) {
            return std::unexpected(
                no_target("A remove operation has no path. Name the attribute to remove in it."));
        }
        if (operation.kind != Kind::Remove && value == nullptr) {
            return std::unexpected(invalid_value(
                fmt::format("The operation at {} has no value. Send one; null clears an attribute.",
                            scim::quoted(operation.path))));
        }
        if (operation.path.empty()) return apply_names(operation.kind, nullptr, *value);
        const auto path = parse_patch_path(type_, operation.path, limits_.filter);
        if (path) return apply_at(operation.kind, *path, value);
        if (keeps_unknown() && path.error().type == ScimType::InvalidPath &&
            is_unknown_name(operation.path)) {
            return keep_at(operation.path, operation.kind == Kind::Remove ? nullptr : value);
        }
        return std::unexpected(path.error());
    }

    /// A value whose names are attributes: all of a pathless operation, or an extension.
    Result<void> apply_names(Kind kind, const Schema* extension, const json::Value& value) {
        const json::Object* object = value.if_object();
        if (object == nullptr) {
            return std::unexpected(invalid_value(fmt::format(
                "The value of an operation {} must be an object with "
                "the attributes to change, but {} was sent.",
                extension == nullptr ? "without a path" : "at an extension", kind_of(value))));
        }
        for (const auto& member : *object) {
            const std::string_view name = member.key();
            const PatchPath path{.target = named(extension, name), .element_filter = std::nullopt};
            if (path.target.attribute != nullptr || path.target.extension != extension) {
                TRY_VOID(apply_at(kind, path, &member.value()));
            } else {
                TRY_VOID(take_unknown(kind, extension, name, member.value()));
            }
        }
        return {};
    }

    /// The attribute, or at the top the extension, that a name names by itself.
    AttributePath named(const Schema* extension, std::string_view name) const {
        if (extension != nullptr)
            return {.extension = extension, .attribute = extension->find(name)};
        if (const Attribute* attribute = type_.find(name)) return {.attribute = attribute};
        return {.extension = type_.extension(name)};
    }

    /// A path where a name should stand is refused: to drop it would lose data without a word.
    Result<void> take_unknown(Kind kind, const Schema* extension, std::string_view name,
                              const json::Value& value) {
        const std::string whole =
            extension == nullptr ? std::string{name} : fmt::format("{}:{}", extension->id, name);
        if (parse_patch_path(type_, whole, limits_.filter)) {
            return std::unexpected(invalid_path(
                fmt::format("{} is a path, not the name of an attribute of the resource. Send it "
                            "as the path of an operation.",
                            scim::quoted(whole))));
        }
        if (!keeps_unknown()) return drop_unknown(whole);
        return keep(object_at(document_, extension), whole, name,
                    kind == Kind::Remove ? nullptr : &value);
    }

    [[nodiscard]] bool keeps_unknown() const { return limits_.values.keep_unknown; }

    /// Whether a URN's last part is its version ("2.0"), not a name in it.
    static bool ends_with_version(std::string_view path) {
        const auto last = path.rfind(':') + 1;
        return path.starts_with("urn:") && last < path.size() && is_digit(path[last]);
    }
    static bool is_digit(char c) { return c >= '0' && c <= '9'; }

    /// A name, a URN, or a name in a URN: no sub-attribute and no filter, for nothing is known of
    /// its value.
    static bool is_unknown_name(std::string_view path) {
        const std::string_view also = ends_with_version(path) ? "." : "";
        if (path.starts_with("urn:")) path.remove_prefix(path.rfind(':') + 1);
        const auto fits = [also](char c) {
            return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
                   c == '-' || c == '$' || also.contains(c);
        };
        return !path.empty() && std::ranges::all_of(path, fits);
    }

    /// A URN names an object that is kept itself, or with a last part behind a colon one of its
    /// values.
    Result<void> keep_at(std::string_view path, const json::Value* value) {
        if (const auto colon = path.rfind(':'); colon != std::string_view::npos) {
            const std::string_view urn = path.substr(0, colon);
            const std::string_view name = path.substr(colon + 1);
            if (const Schema* extension = type_.extension(urn)) {
                return keep(object_at(document_, extension), path, name, value);
            }
            const bool is_whole = ends_with_version(path) || document_.contains(path) ||
                                  (value != nullptr && value->is_object());
            if (!is_whole) {
                json::Value holder = json::Object();
                if (json::Value* held = document_.if_contains(urn)) holder = *held;
                if (!holder.is_object()) holder.emplace_object();
                TRY_VOID(keep(holder.get_object(), path, name, value));
                set_kept(document_, urn, holder.get_object().empty() ? json::Value() : holder);
                return {};
            }
        }
        return keep(document_, path, path, value);
    }

    Result<void> keep(json::Object& holder, std::string_view whole, std::string_view name,
                      const json::Value* value) {
        if (!may_be_kept(name)) return drop_unknown(whole);
        if (++unknown_names_ > kMaxUnknownNames) return refuse_more_names();
        set_kept(holder, name, value == nullptr ? json::Value() : *value);
        note_kept(notes_, whole);
        return {};
    }

    static Result<void> refuse_more_names() {
        return std::unexpected(
            invalid_value(fmt::format("More than {} unknown attributes were sent. Send attributes "
                                      "that the schema has.",
                                      kMaxUnknownNames)));
    }

    Result<void> drop_unknown(std::string_view name) {
        if (++unknown_names_ > kMaxUnknownNames) return refuse_more_names();
        note_unknown(notes_, name);
        return {};
    }

    Result<void> apply_at(Kind kind, const PatchPath& path, const json::Value* value) {
        const AttributePath& target = path.target;
        if (target.attribute == nullptr) return apply_extension(kind, *target.extension, value);
        for (const Attribute* named : {target.attribute, &target.leaf()}) {
            if (!named->is_only_written()) continue;
            note_dropped(notes_, *named);
            return {};
        }
        if (is_protected(target) && !is_members(target)) return refuse_read_only(target);
        if (is_members(target)) {
            return patch_members(members_, kind, path, value, limits_.values);
        }
        TRY_VOID(check_clearing(kind, path, value));
        return kind == Kind::Remove ? remove(path, value) : assign(kind, path, *value);
    }

    static bool is_members(const AttributePath& path) {
        return path.extension == nullptr && path.attribute->name == "members" &&
               path.attribute->multi_valued;
    }

    static Result<void> refuse_read_only(const AttributePath& target) {
        return std::unexpected(mutability(
            fmt::format("{} is read-only. Leave it out of the request.", target.to_string())));
    }

    /// What an extension requires cannot be cleared, not even by clearing all of it.
    Result<void> check_cleared_extensions(const json::Object& document) const {
        for (const Extension& extension : type_.extensions) {
            const std::string& urn = extension.schema->id;
            const json::Value* held = current_.if_contains(urn);
            const json::Object* before = held == nullptr ? nullptr : held->if_object();
            if (before == nullptr || document.contains(urn)) continue;
            for (const Attribute& attribute : extension.schema->attributes) {
                if (is_needed(attribute) && before->contains(attribute.name)) {
                    return check_needed(&attribute, Place{.extension = urn});
                }
            }
        }
        return {};
    }

    /// What may not be left without a value.
    static Result<void> check_clearing(Kind kind, const PatchPath& path, const json::Value* value) {
        const AttributePath& target = path.target;
        const bool is_active = target.extension == nullptr && target.attribute->name == "active";
        if (is_active && (kind == Kind::Remove || is_unassigned(*value))) {
            return std::unexpected(invalid_value(
                "active must be true or false; it cannot be cleared. Send the one that is meant."));
        }
        const bool picks_elements = target.sub_attribute == nullptr &&
                                    target.attribute->multi_valued &&
                                    (path.element_filter || value != nullptr);
        if (kind == Kind::Remove && target.leaf().required && !picks_elements) {
            return std::unexpected(mutability(fmt::format(
                "{} is required and cannot be removed. Replace it instead.", target.to_string())));
        }
        return {};
    }

    Result<void> assign(Kind kind, const PatchPath& path, const json::Value& value) {
        const AttributePath& target = path.target;
        json::Object& holder = object_at(document_, target.extension);
        const Place place = place_of(target);
        if (target.attribute->multi_valued && (path.element_filter || target.sub_attribute)) {
            return values_.assign_selected(kind, holder, path, value, place);
        }
        if (target.sub_attribute == nullptr) {
            return values_.assign(kind, holder, *target.attribute, value, place);
        }
        json::Value& parent = holder[target.attribute->name];
        if (!parent.is_object()) parent.emplace_object();
        return values_.assign(kind, parent.get_object(), *target.sub_attribute, value,
                              place.at(target.sub_attribute->name));
    }

    Result<void> remove(const PatchPath& path, const json::Value* value) {
        const AttributePath& target = path.target;
        json::Object& holder = object_at(document_, target.extension);
        const Place place = place_of(target);
        if (target.attribute->multi_valued && (path.element_filter || target.sub_attribute)) {
            return values_.remove_selected(holder, path, place);
        }
        if (target.sub_attribute == nullptr) {
            return values_.remove(holder, *target.attribute, value, place);
        }
        json::Value* parent = holder.if_contains(target.attribute->name);
        if (parent == nullptr || !parent->is_object()) return {};
        return values_.remove(parent->get_object(), *target.sub_attribute, nullptr,
                              place.at(target.sub_attribute->name));
    }

    Result<void> apply_extension(Kind kind, const Schema& extension, const json::Value* value) {
        const bool clears = kind == Kind::Remove || is_unassigned(*value);
        if (!clears) return apply_names(kind, &extension, *value);
        if (kind == Kind::Add) return {};
        for (const Attribute& attribute : extension.attributes) {
            if (attribute.mutability == Mutability::ReadOnly) continue;
            const PatchPath path{.target = {.extension = &extension, .attribute = &attribute},
                                 .element_filter = std::nullopt};
            TRY_VOID(check_clearing(Kind::Remove, path, nullptr));
            TRY_VOID(remove(path, nullptr));
        }
        return {};
    }

    /// The document, or the object of an extension in it, made where there is none; finish() drops
    /// it again if it stays empty.
    static json::Object& object_at(json::Object& document, const Schema* extension) {
        if (extension == nullptr) return document;
        json::Value& value = document[extension->id];
        return value.is_object() ? value.get_object() : value.emplace_object();
    }

    static Place place_of(const AttributePath& path) {
        return {.extension = path.extension == nullptr ? std::string_view{} : path.extension->id,
                .attribute = path.attribute->name,
                .sub_attribute = {}};
    }

    const ResourceType& type_;
    const json::Object& current_;
    const PatchLimits& limits_;
    json::Object document_;
    MembersFold members_;
    std::vector<Note> notes_;
    Normaliser normaliser_;
    ValuePatcher values_;
    int unknown_names_ = 0;
};

}  // namespace

Result<Patched> apply_patch(const ResourceType& type, const json::Object& current,
                            const std::vector<PatchOperation>& operations,
                            const PatchLimits& limits) {
    return Patcher(type, current, limits).run(operations);
}

}  // namespace muster::scim

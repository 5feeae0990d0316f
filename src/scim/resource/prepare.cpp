#include <algorithm>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "base/result.hpp"
#include "base/text.hpp"
#include "scim/resource/finish.hpp"
#include "scim/resource/kept.hpp"
#include "scim/resource/normalise.hpp"

namespace muster::scim {

namespace {

using Given = std::vector<const json::Value*>;

Result<void> check_schemas(const ResourceType& type, const json::Value* schemas) {
    const std::string& core = type.schema->id;
    const auto is_core = [&core](const json::Value& urn) {
        const json::String* text = urn.if_string();
        return text != nullptr && equals_ignoring_case(*text, core);
    };
    if (schemas == nullptr || is_unassigned(*schemas)) {
        return std::unexpected(invalid_value(fmt::format(
            "schemas is required but has no value. Send \"schemas\": [\"{}\"].", core)));
    }
    const json::Array* array = schemas->if_array();
    if (array != nullptr && std::ranges::any_of(*array, is_core)) return {};
    return std::unexpected(invalid_value(fmt::format(
        "schemas does not name the schema of a {}. Send \"schemas\": [\"{}\"], followed "
        "by the extensions in use.",
        type.name, core)));
}

/// One POST or PUT body on its way to a document.
class Preparation {
  public:
    Preparation(const ResourceType& type, const json::Object* current, const PrepareLimits& limits,
                const boost::json::storage_ptr& storage)
        : type_(type),
          current_(current),
          active_(type.schema->find("active")),
          prepared_{.document = json::Object(storage)},
          normaliser_(limits, prepared_.notes, storage) {}

    Result<Prepared> run(const json::Object& body) {
        sort_out(body);
        TRY_VOID(check_schemas(type_, common_.front()));
        json::Object& document = prepared_.document;
        document.reserve(body.size() + 2);
        document.emplace("schemas", nullptr);
        json::Array schemas({type_.schema->id}, document.storage());
        TRY_VOID(take_all(common_attributes().attributes, common_, document));
        TRY_VOID(take_all(type_.schema->attributes, core_, document));
        for (std::size_t i = 0; i < extensions_.size(); ++i) {
            const std::string& urn = type_.extensions[i].schema->id;
            TRY_ASSIGN(json::Object taken, take_extension(type_.extensions[i], extensions_[i]));
            if (taken.empty()) continue;
            document.emplace(urn, std::move(taken));
            schemas.emplace_back(urn);
        }
        for (const auto* member : unknown_) {
            TRY_VOID(take_unknown(Place{}, member->key(), member->value(), document));
        }
        document["schemas"] = std::move(schemas);
        if (current_ != nullptr) {
            TRY_VOID(check_immutable(type_, *current_, document));
        }
        return std::move(prepared_);
    }

  private:
    /// Finds out to what each member of the body belongs.
    void sort_out(const json::Object& body) {
        const auto& common = common_attributes().attributes;
        const auto& core = type_.schema->attributes;
        common_.assign(common.size(), nullptr);
        core_.assign(core.size(), nullptr);
        extensions_.assign(type_.extensions.size(), nullptr);
        for (const auto& member : body) {
            const std::string_view key = member.key();
            const auto is_key = [key](std::string_view name) {
                return equals_ignoring_case(name, key);
            };
            if (keep(core, core_, is_key, &Attribute::name, member.value())) continue;
            if (keep(common, common_, is_key, &Attribute::name, member.value())) continue;
            const auto urn = [](const Extension& e) -> const std::string& { return e.schema->id; };
            if (keep(type_.extensions, extensions_, is_key, urn, member.value())) continue;
            if (!member.value().is_null()) unknown_.push_back(&member);
        }
    }

    Result<void> take_unknown(const Place& place, std::string_view name, const json::Value& value,
                              json::Object& to) {
        const bool keeps = keeps_unknown() && may_be_kept(name);
        const std::string where = place.at(name).to_string();
        keeps ? note_kept(prepared_.notes, where) : note_unknown(prepared_.notes, where);
        if (!keeps || is_unassigned(value)) return {};
        TRY_VOID(kept_.count(name, value));
        to.emplace(name, value);  // JSON with two of a name is not read
        return {};
    }

    [[nodiscard]] bool keeps_unknown() const { return normaliser_.limits().keep_unknown; }

    template <class Things, class IsKey, class Name>
    static bool keep(const Things& things, Given& given, IsKey is_key, Name name,
                     const json::Value& value) {
        const auto found = std::ranges::find_if(things, is_key, name);
        if (found == things.end()) return false;
        given[static_cast<std::size_t>(found - things.begin())] = &value;
        return true;
    }

    Result<void> take_all(std::span<const Attribute> attributes, const Given& given,
                          json::Object& document) {
        TRY_ASSIGN(const Attribute* needed, take(attributes, given, current_, Place{}, document));
        return check_needed(needed, Place{});
    }

    /// Puts what is kept of each attribute into `to`, in the order of the schema. The first that is
    /// needed and has no value, or null.
    Result<const Attribute*> take(std::span<const Attribute> attributes, const Given& given,
                                  const json::Object* current, const Place& place,
                                  json::Object& to) {
        const Attribute* needed = nullptr;
        for (std::size_t i = 0; i < attributes.size(); ++i) {
            const Attribute& attribute = attributes[i];
            const json::Value* stored =
                current == nullptr ? nullptr : current->if_contains(attribute.name);
            const Place here = place.at(attribute.name);
            const bool is_core = place.extension.empty();
            if (attribute.mutability == Mutability::WriteOnly ||
                (is_core && !is_stored(attribute))) {
                TRY_VOID(take_aside(attribute, given[i]));
                continue;
            }
            json::Value value(to.storage());
            if (attribute.mutability == Mutability::ReadOnly) {
                if (stored != nullptr) value = *stored;
                if (is_core && attribute.name == "id") note_foreign_id(given[i], stored);
            } else {
                if (given[i] != nullptr) {
                    TRY_ASSIGN(value, normaliser_.attribute(attribute, *given[i], here));
                }
                // Leaving an immutable attribute out asks for no change (RFC 7644 §3.5.1).
                const bool keeps = attribute.mutability == Mutability::Immutable;
                if (value.is_null() && keeps && stored != nullptr) value = *stored;
            }
            // An omission never switches a person on or off.
            if (value.is_null() && &attribute == active_) {
                value = current == nullptr || is_active(*current);
            }
            if (!value.is_null()) {
                TRY_ASSIGN(value, finisher_.tidy(attribute, std::move(value), here));
            }
            if (!value.is_null()) {
                to.emplace(attribute.name, std::move(value));
            } else if (needed == nullptr && is_needed(attribute)) {
                needed = &attribute;
            }
        }
        return needed;
    }

    /// What is sent with a resource but not kept in its document.
    Result<void> take_aside(const Attribute& attribute, const json::Value* value) {
        if (value == nullptr || value->is_null()) return {};
        if (attribute.mutability == Mutability::WriteOnly) {
            note_dropped(prepared_.notes, attribute);
        } else if (attribute.name == "members") {
            TRY_ASSIGN(prepared_.members, read_member_ids(*value, normaliser_.limits()));
        }
        return {};
    }

    /// Empty where nothing is kept of it.
    Result<json::Object> take_extension(const Extension& extension, const json::Value* value) {
        static const json::Object kNone;
        const Schema& schema = *extension.schema;
        const Place place{.extension = schema.id};
        const json::Object* object = &kNone;
        if (value != nullptr && !is_unassigned(*value)) {
            object = value->if_object();
            if (object == nullptr) {
                return std::unexpected(invalid_value(fmt::format(
                    "{} must be an object, but {} was sent.", schema.id, kind_of(*value))));
            }
        }
        const json::Value* stored =
            current_ == nullptr ? nullptr : current_->if_contains(schema.id);
        const json::Object* current = stored == nullptr ? nullptr : stored->if_object();
        json::Object taken(prepared_.document.storage());
        const Given given =
            by_attribute(schema.attributes, *object, place, prepared_.notes, keeps_unknown());
        TRY_ASSIGN(const Attribute* needed, take(schema.attributes, given, current, place, taken));
        if (keeps_unknown()) {
            for (const auto& [name, part] : *object) {
                if (schema.find(name) != nullptr) continue;
                TRY_VOID(take_unknown(place, name, part, taken));
            }
        }
        TRY_VOID(check_extension(extension, taken, needed));
        return taken;
    }

    void note_foreign_id(const json::Value* given, const json::Value* stored) {
        if (given == nullptr || is_unassigned(*given)) return;
        if (stored == nullptr || *given != *stored) note_read_only(prepared_.notes, "id");
    }

    const ResourceType& type_;
    const json::Object* current_;
    const Attribute* active_;
    Prepared prepared_;
    Normaliser normaliser_;
    Finisher finisher_{prepared_.notes};
    KeptBounds kept_;
    Given common_;
    Given core_;
    Given extensions_;
    std::vector<const json::Object::value_type*> unknown_;
};

}  // namespace

Result<Prepared> prepare(const ResourceType& type, const json::Value& body,
                         const json::Object* current, const PrepareLimits& limits) {
    const json::Object* object = body.if_object();
    if (object == nullptr) {
        return std::unexpected(invalid_syntax(
            fmt::format("The body must be a JSON object that describes a {}, but {} was sent.",
                        type.name, kind_of(body))));
    }
    return Preparation(type, current, limits, body.storage()).run(*object);
}

}  // namespace muster::scim

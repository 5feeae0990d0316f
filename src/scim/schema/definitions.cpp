// An organisation's own schemas and resource types, in the form in which /Schemas and
// /ResourceTypes serve them (RFC 7643 §6, §7), on top of the standard ones.

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "base/result.hpp"
#include "base/text.hpp"
#include "scim/schema/library.hpp"
#include "scim/schema/schema.hpp"

namespace muster::scim {

namespace {

constexpr std::size_t kMostSchemas = 64;
constexpr std::size_t kMostTypes = 64;
constexpr std::size_t kMostAttributes = 200;
constexpr std::size_t kMostText = 1000;

constexpr std::string_view kUrnPrefix = "urn:";

/// RFC 7643 §7, "attributes".
constexpr std::array<std::string_view, 12> kCharacteristics = {
    "name",        "type",     "subAttributes",   "multiValued",
    "description", "required", "canonicalValues", "caseExact",
    "mutability",  "returned", "uniqueness",      "referenceTypes"};

/// The product gives these a meaning of their own, which a schema of somebody else's cannot have.
constexpr std::array<std::string_view, 7> kReservedAttributes = {
    "schemas", "id", "externalId", "meta", "members", "groups", "password"};
constexpr std::array<std::string_view, 6> kReservedEndpoints = {
    "/ServiceProviderConfig", "/ResourceTypes", "/Schemas", "/Bulk", "/Me", "/.search"};

template <class T>
struct Word {
    std::string_view text;
    T value;
};

constexpr std::array<Word<Type>, 8> kTypes = {{{"string", Type::String},
                                               {"boolean", Type::Boolean},
                                               {"decimal", Type::Decimal},
                                               {"integer", Type::Integer},
                                               {"dateTime", Type::DateTime},
                                               {"binary", Type::Binary},
                                               {"reference", Type::Reference},
                                               {"complex", Type::Complex}}};
constexpr std::array<Word<Mutability>, 4> kMutabilities = {{{"readWrite", Mutability::ReadWrite},
                                                            {"readOnly", Mutability::ReadOnly},
                                                            {"immutable", Mutability::Immutable},
                                                            {"writeOnly", Mutability::WriteOnly}}};
constexpr std::array<Word<Returned>, 4> kReturned = {{{"default", Returned::Default},
                                                      {"always", Returned::Always},
                                                      {"never", Returned::Never},
                                                      {"request", Returned::Request}}};
constexpr std::array<Word<Uniqueness>, 3> kUniqueness = {
    {{"none", Uniqueness::None}, {"server", Uniqueness::Server}, {"global", Uniqueness::Global}}};

std::unexpected<Error> refuse(std::string_view where, std::string_view why) {
    return std::unexpected(invalid_value(fmt::format("{}: {}", where, why)));
}

/// RFC 7643 §2.1, figure 1: ATTRNAME.
bool is_attribute_name(std::string_view name) {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    const auto other = [&](char c) {
        return letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '$';
    };
    return !name.empty() && name.size() <= 64 && (letter(name.front()) || name.front() == '$') &&
           std::ranges::all_of(name, other);
}

bool is_endpoint(std::string_view endpoint) {
    return endpoint.size() > 1 && endpoint.front() == '/' && is_attribute_name(endpoint.substr(1));
}

Result<std::string> text(const json::Object& object, std::string_view name,
                         std::string_view where) {
    const auto* value = object.if_contains(name);
    if (value == nullptr) return std::string{};
    const auto* found = value->if_string();
    if (found == nullptr || found->size() > kMostText) {
        return refuse(where,
                      fmt::format("{} must be a string of at most {} bytes.", name, kMostText));
    }
    return std::string{found->subview()};
}

Result<bool> flag(const json::Object& object, std::string_view name, std::string_view where) {
    const auto* value = object.if_contains(name);
    if (value == nullptr) return false;
    if (const auto* found = value->if_bool()) return *found;
    return refuse(where, fmt::format("{} must be true or false.", name));
}

template <class T, std::size_t N>
Result<T> word(const json::Object& object, std::string_view name,
               const std::array<Word<T>, N>& words, std::string_view where) {
    TRY_ASSIGN(const std::string given, text(object, name, where));
    if (given.empty()) return words.front().value;
    for (const auto& known : words) {
        if (equals_ignoring_case(known.text, given)) return known.value;
    }
    return refuse(where, fmt::format("{} {} is none of RFC 7643's.", name, scim::quoted(given)));
}

Result<const json::Array*> list(const json::Object& object, std::string_view name, std::size_t most,
                                std::string_view where) {
    static const json::Array kNone;
    const auto* value = object.if_contains(name);
    if (value == nullptr) return &kNone;
    const auto* found = value->if_array();
    if (found == nullptr || found->size() > most) {
        return refuse(where, fmt::format("{} must be a list of at most {}.", name, most));
    }
    return found;
}

Result<std::vector<std::string>> texts(const json::Object& object, std::string_view name,
                                       std::string_view where) {
    TRY_ASSIGN(const auto* values, list(object, name, kMostAttributes, where));
    std::vector<std::string> found;
    for (const auto& value : *values) {
        if (!value.is_string()) return refuse(where, fmt::format("{} must hold strings.", name));
        found.emplace_back(value.get_string().subview());
    }
    return found;
}

Result<std::vector<Attribute>> attributes(const json::Object& object, std::string_view member,
                                          bool nested, std::string_view where);

Result<Attribute> attribute(const json::Value& value, bool nested, std::string_view schema) {
    if (!value.is_object()) return refuse(schema, "an attribute must be an object.");
    const auto& object = value.get_object();
    Attribute made;
    TRY_ASSIGN(made.name, text(object, "name", schema));
    const std::string where = fmt::format("{}:{}", schema, made.name);
    if (!is_attribute_name(made.name)) return refuse(where, "this is no attribute name.");
    for (const auto& [name, ignored] : object) {
        const std::string_view given = name;
        if (std::ranges::find(kCharacteristics, given) != kCharacteristics.end()) continue;
        return refuse(where, fmt::format("an attribute has no {}.", scim::quoted(name)));
    }
    TRY_ASSIGN(made.description, text(object, "description", where));
    TRY_ASSIGN(made.type, word(object, "type", kTypes, where));
    TRY_ASSIGN(made.multi_valued, flag(object, "multiValued", where));
    TRY_ASSIGN(made.required, flag(object, "required", where));
    TRY_ASSIGN(made.case_exact, flag(object, "caseExact", where));
    TRY_ASSIGN(made.mutability, word(object, "mutability", kMutabilities, where));
    TRY_ASSIGN(made.returned, word(object, "returned", kReturned, where));
    // RFC 7643 §7: what is only written is not returned either, whatever the definition says of it.
    if (made.mutability == Mutability::WriteOnly) made.returned = Returned::Never;
    TRY_ASSIGN(made.uniqueness, word(object, "uniqueness", kUniqueness, where));
    TRY_ASSIGN(made.canonical_values, texts(object, "canonicalValues", where));
    TRY_ASSIGN(made.reference_types, texts(object, "referenceTypes", where));
    // RFC 7643 §2.3.6, §2.3.7.
    if (made.type == Type::Reference || made.type == Type::Binary) made.case_exact = true;
    const bool complex = made.type == Type::Complex;
    if (complex != object.contains("subAttributes")) {
        return refuse(where, "subAttributes belong to the type complex, and it to them.");
    }
    if (complex && nested) {
        return refuse(where, "a sub-attribute cannot be complex (RFC 7643 section 2.3.8).");
    }
    if (made.uniqueness != Uniqueness::None && (complex || nested || made.multi_valued)) {
        return refuse(where, "only a simple attribute with one value can be unique.");
    }
    if (complex) {
        TRY_ASSIGN(made.sub_attributes, attributes(object, "subAttributes", true, where));
        if (made.sub_attributes.empty()) return refuse(where, "it has no sub-attribute.");
    }
    return made;
}

Result<std::vector<Attribute>> attributes(const json::Object& object, std::string_view member,
                                          bool nested, std::string_view where) {
    TRY_ASSIGN(const auto* values, list(object, member, kMostAttributes, where));
    std::vector<Attribute> made;
    std::set<std::string> names;
    for (const auto& value : *values) {
        TRY_ASSIGN(Attribute one, attribute(value, nested, where));
        if (!names.insert(to_lower_ascii(one.name)).second) {
            return refuse(where, fmt::format("{} stands twice.", one.name));
        }
        made.push_back(std::move(one));
    }
    return made;
}

Result<Schema> schema(const json::Value& value) {
    if (!value.is_object()) return refuse("schemas", "a schema must be an object.");
    const auto& object = value.get_object();
    Schema made;
    TRY_ASSIGN(made.id, text(object, "id", "schemas"));
    if (!to_lower_ascii(made.id).starts_with(kUrnPrefix)) {
        return refuse(scim::quoted(made.id), "a schema's id is a URN.");
    }
    TRY_ASSIGN(made.name, text(object, "name", made.id));
    TRY_ASSIGN(made.description, text(object, "description", made.id));
    TRY_ASSIGN(made.attributes, attributes(object, "attributes", false, made.id));
    if (made.name.empty()) made.name = made.id.substr(made.id.rfind(':') + 1);
    if (made.attributes.empty()) return refuse(made.id, "it has no attribute.");
    return made;
}

}  // namespace

namespace {

/// How far stored values are kept from who reads: 0 not at all.
int hiding(const Attribute& attribute) {
    if (attribute.returned == Returned::Never) return 2;
    if (attribute.mutability == Mutability::WriteOnly) return 2;
    return attribute.returned == Returned::Request ? 1 : 0;
}

/// An attribute that hides values, among those of `attribute` and below; null: none.
const Attribute* hidden_in(const Attribute& attribute) {
    if (hiding(attribute) > 0) return &attribute;
    for (const Attribute& sub : attribute.sub_attributes) {
        if (const auto* hidden = hidden_in(sub)) return hidden;
    }
    return nullptr;
}

std::string conflict_of(const std::vector<Attribute>& before, const std::vector<Attribute>& after) {
    for (const Attribute& one : after) {
        const auto known = std::ranges::find(before, one.name, &Attribute::name);
        if (known == before.end()) {
            if (one.uniqueness == Uniqueness::None) continue;
            return fmt::format("a new attribute cannot be unique, as {} would be.", one.name);
        }
        const bool same = known->type == one.type && known->multi_valued == one.multi_valued &&
                          known->uniqueness == one.uniqueness &&
                          known->case_exact == one.case_exact;
        if (!same) {
            return fmt::format(
                "type, multiValued, uniqueness and caseExact of {} cannot be changed.", one.name);
        }
        if (known->mutability != Mutability::WriteOnly && one.mutability == Mutability::WriteOnly) {
            return fmt::format(
                "{} is stored, and what is only written is not: make it returned \"never\" "
                "instead.",
                one.name);
        }
        if (hiding(one) < hiding(*known)) {
            return fmt::format("{} is not returned, and its stored values would come to light.",
                               one.name);
        }
        auto nested = conflict_of(known->sub_attributes, one.sub_attributes);
        if (!nested.empty()) return nested;
    }
    for (const Attribute& one : before) {
        const bool stays = std::ranges::find(after, one.name, &Attribute::name) != after.end();
        if (stays) continue;
        if (one.uniqueness != Uniqueness::None) {
            return fmt::format("{} is unique and cannot be removed.", one.name);
        }
        if (const auto* hidden = hidden_in(one)) {
            return fmt::format(
                "{} is not returned and cannot be removed: its stored values would come to light.",
                hidden->name);
        }
    }
    return {};
}

}  // namespace

std::string conflict_of(const ResourceType& before, const ResourceType* after) {
    if (after == nullptr) return "the type cannot be removed.";
    if (after->endpoint != before.endpoint) return "its endpoint cannot be changed.";
    if (after->schema->id != before.schema->id) return "its schema cannot be exchanged.";
    auto conflict = conflict_of(before.schema->attributes, after->schema->attributes);
    for (const Extension& extension : after->extensions) {
        if (!conflict.empty()) break;
        if (const Schema* known = before.extension(extension.schema->id)) {
            conflict = conflict_of(known->attributes, extension.schema->attributes);
        } else {
            conflict = conflict_of({}, extension.schema->attributes);
        }
    }
    for (const Extension& extension : before.extensions) {
        if (!conflict.empty()) break;
        if (after->extension(extension.schema->id) == nullptr) {
            conflict = conflict_of(extension.schema->attributes, {});
        }
    }
    return conflict;
}

/// Builds one catalogue and is gone.
class CatalogBuilder {
  public:
    Result<std::shared_ptr<const Catalog>> build(const json::Object& definitions) {
        // A misspelt name would take everything away instead of adding something.
        for (const auto& [name, value] : definitions) {
            if (name == "schemas" || name == "resourceTypes") continue;
            return refuse(scim::quoted(name), "definitions are \"schemas\" and \"resourceTypes\".");
        }
        TRY_ASSIGN(const auto* schemas, list(definitions, "schemas", kMostSchemas, "schemas"));
        for (const auto& value : *schemas) {
            TRY_ASSIGN(Schema made, schema(value));
            if (find(made.id) != nullptr) return refuse(made.id, "this schema is there already.");
            own_.push_back(std::make_unique<Schema>(std::move(made)));
        }
        for (const auto& type : Catalog::standard()->types()) types_.push_back(*type);
        TRY_ASSIGN(const auto* types,
                   list(definitions, "resourceTypes", kMostTypes, "resourceTypes"));
        for (const auto& value : *types) {
            if (!value.is_object()) return refuse("resourceTypes", "each must be an object.");
            TRY_VOID(add_type(value.get_object()));
        }
        return finished();
    }

  private:
    /// An own schema or one of the product's, or null.
    const Schema* find(std::string_view urn) const {
        const auto same = [urn](const auto& one) { return equals_ignoring_case(one->id, urn); };
        if (const auto found = std::ranges::find_if(own_, same); found != own_.end()) {
            return found->get();
        }
        const auto& library = schema_library();
        const auto found = std::ranges::find_if(library, same);
        return found == library.end() ? nullptr : found->get();
    }

    Result<void> add_type(const json::Object& object) {
        TRY_ASSIGN(const std::string name, text(object, "name", "resourceTypes"));
        const std::string where = fmt::format("resource type {}", scim::quoted(name));
        if (!is_attribute_name(name)) return refuse(where, "its name must be one word.");
        const auto known = std::ranges::find_if(types_, [&](const ResourceType& type) {
            return equals_ignoring_case(type.name, name);
        });
        if (known != types_.end()) return extend(*known, object, where);

        ResourceType type{.id = name,
                          .name = name,
                          .endpoint = {},
                          .description = {},
                          .schema = nullptr,
                          .extensions = {}};
        TRY_ASSIGN(type.endpoint, text(object, "endpoint", where));
        TRY_ASSIGN(type.description, text(object, "description", where));
        TRY_ASSIGN(const std::string urn, text(object, "schema", where));
        type.schema = find(urn);
        if (type.schema == nullptr) {
            return refuse(where, fmt::format("there is no schema {}.", scim::quoted(urn)));
        }
        if (!is_endpoint(type.endpoint)) {
            return refuse(where, "its endpoint must be a slash and one word, such as /Licenses.");
        }
        const auto taken = [&](std::string_view other) {
            return equals_ignoring_case(other, type.endpoint);
        };
        if (std::ranges::any_of(kReservedEndpoints, taken) ||
            std::ranges::any_of(types_, taken, &ResourceType::endpoint)) {
            return refuse(where, fmt::format("the endpoint {} is taken.", type.endpoint));
        }
        for (std::string_view reserved : kReservedAttributes) {
            if (type.schema->find(reserved) != nullptr) {
                return refuse(where, fmt::format("a resource's own {} has a fixed meaning; give "
                                                 "the attribute another name.",
                                                 reserved));
            }
        }
        TRY_VOID(extend(type, object, where));
        types_.push_back(std::move(type));
        return {};
    }

    Result<void> extend(ResourceType& type, const json::Object& object, std::string_view where) {
        TRY_ASSIGN(const auto* extensions, list(object, "schemaExtensions", kMostSchemas, where));
        for (const auto& value : *extensions) {
            if (!value.is_object()) return refuse(where, "schemaExtensions must hold objects.");
            TRY_ASSIGN(const std::string urn, text(value.get_object(), "schema", where));
            TRY_ASSIGN(const bool required, flag(value.get_object(), "required", where));
            const Schema* extension = find(urn);
            if (extension == nullptr) {
                return refuse(where, fmt::format("there is no schema {}.", scim::quoted(urn)));
            }
            if (extension == type.schema) {
                return refuse(where, "a type cannot be extended by its own schema.");
            }
            if (type.extension(urn) == nullptr) type.extensions.push_back({extension, required});
        }
        return {};
    }

    static bool hides(const std::vector<Attribute>& attributes) {
        return std::ranges::any_of(attributes, [](const Attribute& one) {
            return one.is_hidden() || one.returned == Returned::Request ||
                   hides(one.sub_attributes);
        });
    }

    static void note_hidden(const std::vector<Attribute>& attributes,
                            std::vector<std::string>& names) {
        for (const Attribute& one : attributes) {
            if (one.is_hidden()) names.push_back(to_lower_ascii(one.name));
            note_hidden(one.sub_attributes, names);
        }
    }

    /// The schemas that a type uses, and the types, each owned by the catalogue.
    std::shared_ptr<const Catalog> finished() {
        auto catalog = std::make_shared<Catalog>();
        const auto own = [&](const Schema* schema) -> const Schema* {
            const auto same = [schema](const auto& one) { return one->id == schema->id; };
            const auto found = std::ranges::find_if(catalog->schemas_, same);
            if (found != catalog->schemas_.end()) return found->get();
            catalog->schemas_.push_back(std::make_unique<Schema>(*schema));
            return catalog->schemas_.back().get();
        };
        for (ResourceType& type : types_) {
            // A password is never stored (docs/adr/0007), so the standard's own hide nothing.
            const auto own_schema = [&](const Schema* one) {
                return std::ranges::find(own_, one, &std::unique_ptr<Schema>::get) != own_.end();
            };
            if (own_schema(type.schema))
                note_hidden(type.schema->attributes, catalog->hidden_names_);
            type.hides_attributes = own_schema(type.schema) && hides(type.schema->attributes);
            type.schema = own(type.schema);
            for (Extension& extension : type.extensions) {
                const bool hidden =
                    own_schema(extension.schema) && hides(extension.schema->attributes);
                if (own_schema(extension.schema)) {
                    note_hidden(extension.schema->attributes, catalog->hidden_names_);
                }
                type.hides_attributes = type.hides_attributes || hidden;
                extension.schema = own(extension.schema);
            }
            catalog->types_.push_back(std::make_unique<ResourceType>(std::move(type)));
        }
        return catalog;
    }

    std::vector<std::unique_ptr<Schema>> own_;
    std::vector<ResourceType> types_;
};

namespace {

/// Whether a value can leave something in a document that says more than of what type it is.
bool stores_something(const Attribute& attribute) {
    if (attribute.is_only_written()) return false;
    if (attribute.type != Type::Complex) return true;
    const bool only_labels = std::ranges::all_of(attribute.sub_attributes, &Attribute::is_label);
    return std::ranges::any_of(attribute.sub_attributes, [only_labels](const Attribute& sub) {
        return !sub.is_only_written() && (only_labels || !sub.is_label());
    });
}

std::string fault_of(const Schema& schema) {
    for (const Attribute& one : schema.attributes) {
        if (one.uniqueness != Uniqueness::None && one.is_hidden()) {
            return fmt::format(
                "{} cannot be unique, as nobody may read it: a refusal would tell its value.",
                one.name);
        }
        const bool complex = one.type == Type::Complex && !one.is_only_written();
        if (complex && one.required && !stores_something(one)) {
            return fmt::format("{} is required, and nothing of it would be stored.", one.name);
        }
    }
    return {};
}

}  // namespace

std::string fault_of(const Catalog& catalog) {
    for (const auto& schema : catalog.schemas()) {
        auto fault = fault_of(*schema);
        if (!fault.empty()) return fmt::format("{}:{}", schema->id, fault);
    }
    for (const auto& type : catalog.types()) {
        for (const auto& [schema, required] : type->extensions) {
            if (required && std::ranges::none_of(schema->attributes, stores_something)) {
                return fmt::format("{} is required, and nothing of it would be stored.",
                                   schema->id);
            }
        }
    }
    return {};
}

Result<std::shared_ptr<const Catalog>> Catalog::with(std::string_view definitions) {
    if (definitions.empty()) return standard();
    const auto value = json::parse(definitions, {.max_bytes = std::size_t{1} << 20});
    if (!value || !value->is_object()) {
        return refuse("definitions", value ? "they must be a JSON object with schemas and "
                                             "resourceTypes."
                                           : value.error().message);
    }
    return CatalogBuilder{}.build(value->get_object());
}

}  // namespace muster::scim

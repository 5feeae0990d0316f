// RFC 7644 §3.5.2: PATCH against a model that does one operation after the other to plain JSON,
// with the decisions of scim/patch/patch.hpp where the RFC leaves room.

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "filters.hpp"
#include "scim/patch/patch.hpp"

namespace muster::property {
namespace {

using PatchKind = scim::PatchOperation::Kind;

constexpr std::string_view kEnterprise = scim::kEnterpriseUserSchema;
constexpr Field kTag{kGear, "tags", "", Kind::Text};

/// An attribute that operations are about.
struct Target {
    enum class Shape : std::uint8_t { Single, Complex, Plain, Plural } shape;
    std::string_view urn;  ///< "": the core schema
    std::string_view attribute;
};

constexpr auto kTargets = std::to_array<Target>({
    {Target::Shape::Single, "", "title"},
    {Target::Shape::Single, kEnterprise, "department"},
    {Target::Shape::Single, kGear, "badge"},
    {Target::Shape::Complex, "", "name"},
    {Target::Shape::Plain, kGear, "tags"},
    {Target::Shape::Plural, "", "emails"},
    {Target::Shape::Plural, "", "roles"},
    {Target::Shape::Plural, kGear, "kit"},
});
constexpr auto kNameParts = std::to_array<std::string_view>({"familyName", "givenName"});

/// An operation as it is meant.
struct Operation {
    PatchKind kind = PatchKind::Add;
    const Target* target = nullptr;
    std::optional<Expression> selection = {};
    std::string_view sub = {};
    std::optional<json::Value> value = {};
};

// ---- cases ----------------------------------------------------------------------------------

json::Value any_simple(Choices& choices) {
    if (choices.once_in(8)) return nullptr;
    return json::Value(any_text(choices));
}

json::Value any_name(Choices& choices) {
    json::Object name;
    for (const std::string_view part : kNameParts) {
        if (!choices.once_in(3)) name[part] = any_simple(choices);
    }
    return name;
}

json::Value any_tags(Choices& choices) {
    json::Array tags;
    for (auto count = choices.below(4); count > 0; --count) tags.push_back(any_simple(choices));
    return tags;
}

json::Value any_element(Choices& choices, std::string_view attribute) {
    json::Value elements = any_elements(choices, attribute);
    if (!elements.is_array() || elements.get_array().empty()) return json::Object{{"value", "a"}};
    return elements.get_array().front();
}

Operation any_operation(Choices& choices) {
    Operation operation;
    operation.kind = choices.of(std::array{PatchKind::Add, PatchKind::Replace, PatchKind::Remove});
    operation.target = &choices.of(kTargets);
    const bool removes = operation.kind == PatchKind::Remove;
    const std::string_view attribute = operation.target->attribute;
    switch (operation.target->shape) {
        case Target::Shape::Single:
            if (!removes) operation.value = any_simple(choices);
            break;
        case Target::Shape::Complex:
            if (choices.once_in(2)) operation.sub = choices.of(kNameParts);
            if (!removes) {
                operation.value = operation.sub.empty() ? any_name(choices) : any_simple(choices);
            }
            break;
        case Target::Shape::Plain:
            // What a remove names is what goes; nothing else could select simple values.
            if (!removes || choices.once_in(2)) operation.value = any_tags(choices);
            break;
        case Target::Shape::Plural: {
            const auto form = choices.below(4);
            const auto fields = fields_of(attribute);
            const Field& field = *choices.of(fields);
            if (form >= 2) operation.selection = any_element_expression(choices, attribute, 1);
            if (form % 2 == 1) operation.sub = field.sub;
            if (removes) break;
            if (form % 2 == 1) {
                operation.value = any_value(choices, field, true);
            } else {
                operation.value =
                    form == 0 ? any_elements(choices, attribute) : any_element(choices, attribute);
            }
        }
    }
    return operation;
}

scim::PatchOperation written(Choices& choices, const Operation& operation) {
    scim::PatchOperation sent{.kind = operation.kind, .path = {}, .value = operation.value};
    const Target& target = *operation.target;
    const bool whole = !operation.selection && operation.sub.empty();
    if (whole && operation.kind != PatchKind::Remove && choices.once_in(3)) {
        // Without a path the names stand in the value.
        json::Object named{{any_spelling(choices, target.attribute), *operation.value}};
        if (target.urn.empty()) {
            sent.value = std::move(named);
        } else {
            sent.value = json::Object{{any_spelling(choices, target.urn), std::move(named)}};
        }
        return sent;
    }
    if (!target.urn.empty()) sent.path = any_spelling(choices, target.urn) + ':';
    sent.path += any_spelling(choices, target.attribute);
    if (operation.selection) {
        sent.path += '[' + print_in_element(choices, *operation.selection) + ']';
    }
    if (!operation.sub.empty()) sent.path += '.' + any_spelling(choices, operation.sub);
    return sent;
}

// ---- the model ------------------------------------------------------------------------------

/// RFC 7643 §2.5, of a value that is sent.
bool clears(const json::Value& value) {
    return value.is_null() || (value.is_string() && value.get_string().empty()) ||
           (value.is_array() && value.get_array().empty());
}

/// The value without what means nothing.
json::Value cleaned(const json::Value& value) {
    if (value.is_object()) {
        json::Object kept;
        for (const auto& [name, inner] : value.get_object()) {
            if (!clears(inner)) kept[name] = inner;
        }
        return kept.empty() ? json::Value(nullptr) : json::Value(std::move(kept));
    }
    if (!value.is_array()) return clears(value) ? json::Value(nullptr) : value;
    json::Array kept;
    for (const json::Value& inner : value.get_array()) {
        if (json::Value one = cleaned(inner); !one.is_null()) kept.push_back(std::move(one));
    }
    return kept.empty() ? json::Value(nullptr) : json::Value(std::move(kept));
}

bool is_primary(const json::Value& element) {
    const json::Object* object = element.if_object();
    const json::Value* primary = object == nullptr ? nullptr : object->if_contains("primary");
    return primary != nullptr && *primary == true;
}

class Model {
  public:
    explicit Model(json::Object document) : document_(std::move(document)) {}

    /// False where the operation is to be refused.
    bool apply(const Operation& operation) {
        json::Object& holder = holder_of(operation.target->urn);
        const std::string_view name = operation.target->attribute;
        switch (operation.target->shape) {
            case Target::Shape::Single:
                set(operation.kind, holder, name, operation.value);
                return true;
            case Target::Shape::Complex:
                apply_complex(operation, holder);
                return true;
            case Target::Shape::Plain:
                apply_plain(operation, holder);
                return true;
            case Target::Shape::Plural:
                break;
        }
        if (operation.selection || !operation.sub.empty()) return apply_selected(operation, holder);
        if (operation.kind == PatchKind::Remove) {
            holder.erase(name);
            return true;
        }
        json::Value given = cleaned(*operation.value);
        if (operation.kind == PatchKind::Replace) {
            holder.erase(name);
            if (!given.is_null()) holder[name] = std::move(given);
        } else if (!given.is_null()) {
            add(elements_of(holder, name), name, given.get_array());
        }
        return true;
    }

    /// What is left in the end; nothing where it may not be stored.
    std::optional<json::Object> finished() {
        json::Object result;
        for (auto& [name, value] : document_) {
            if (name == "schemas") continue;
            json::Value kept = value;
            if (name == kEnterprise || name == kGear) {
                json::Object inner;
                for (auto& [part, part_value] : value.get_object()) {
                    if (!keep(part, part_value)) return std::nullopt;
                    if (is_present(part_value)) inner[part] = part_value;
                }
                kept = std::move(inner);
            } else if (!keep(name, kept)) {
                return std::nullopt;
            }
            if (is_present(kept)) result[name] = std::move(kept);
        }
        return result;
    }

  private:
    json::Object& holder_of(std::string_view urn) {
        if (urn.empty()) return document_;
        json::Value& holder = document_[urn];
        return holder.is_object() ? holder.get_object() : holder.emplace_object();
    }
    static json::Array& elements_of(json::Object& holder, std::string_view name) {
        json::Value& value = holder[name];
        return value.is_array() ? value.get_array() : value.emplace_array();
    }

    static void set(PatchKind kind, json::Object& holder, std::string_view name,
                    const std::optional<json::Value>& value) {
        if (kind == PatchKind::Remove) {
            holder.erase(name);
        } else if (!clears(*value)) {
            holder[name] = *value;
        } else if (kind == PatchKind::Replace) {
            holder.erase(name);
        }
    }

    static void apply_complex(const Operation& operation, json::Object& holder) {
        const std::string_view name = operation.target->attribute;
        if (operation.sub.empty() && operation.kind == PatchKind::Remove) {
            holder.erase(name);
            return;
        }
        json::Value& value = holder[name];
        json::Object& object = value.is_object() ? value.get_object() : value.emplace_object();
        if (!operation.sub.empty())
            return set(operation.kind, object, operation.sub, operation.value);
        for (const auto& [part, given] : operation.value->get_object()) {
            set(operation.kind, object, part, given);
        }
    }

    static void apply_plain(const Operation& operation, json::Object& holder) {
        const std::string_view name = operation.target->attribute;
        const json::Value given = operation.value ? cleaned(*operation.value) : json::Value();
        if (operation.kind != PatchKind::Add &&
            (!operation.value || operation.kind == PatchKind::Replace)) {
            holder.erase(name);
        }
        if (given.is_null()) return;
        json::Array& tags = elements_of(holder, name);
        const auto same = [](const json::Value& one) {
            return [&one](const json::Value& other) { return is_same(kTag, one, other); };
        };
        for (const json::Value& tag : given.get_array()) {
            if (operation.kind == PatchKind::Remove) {
                erase_if(tags, same(tag));
            } else if (operation.kind == PatchKind::Replace ||
                       std::ranges::none_of(tags, same(tag))) {
                tags.push_back(tag);
            }
        }
    }

    /// The same value of the same type; what has no value is the same if all else is.
    static bool is_same_element(std::string_view attribute, const json::Value& one,
                                const json::Value& other) {
        const json::Object& left = one.get_object();
        const json::Object& right = other.get_object();
        const bool by_value = left.contains("value");
        if (by_value != right.contains("value")) return false;
        return std::ranges::all_of(fields_of(attribute), [&](const Field* field) {
            const bool counts =
                by_value ? field->sub == "value" || field->sub == "type" : field->sub != "primary";
            const json::Value* a = left.if_contains(field->sub);
            const json::Value* b = right.if_contains(field->sub);
            if (!counts || (a == nullptr && b == nullptr)) return true;
            return a != nullptr && b != nullptr && is_same(*field, *a, *b);
        });
    }

    static void add(json::Array& elements, std::string_view attribute, const json::Array& given) {
        std::vector<std::size_t> chosen;
        for (const json::Value& element : given) {
            const auto known = std::ranges::find_if(elements, [&](const json::Value& other) {
                return is_same_element(attribute, element, other);
            });
            const auto place = static_cast<std::size_t>(known - elements.begin());
            if (is_primary(element)) chosen.push_back(place);
            if (known == elements.end()) elements.push_back(element);
        }
        give_primary(elements, chosen);
    }

    /// RFC 7643 §2.4: the new primary takes it from the old one.
    static void give_primary(json::Array& elements, const std::vector<std::size_t>& chosen) {
        if (chosen.empty()) return;
        for (std::size_t i = 0; i < elements.size(); ++i) {
            const bool wanted = std::ranges::find(chosen, i) != chosen.end();
            if (wanted != is_primary(elements[i])) elements[i].as_object()["primary"] = wanted;
        }
    }

    /// The element that `eq` comparisons joined by `and` describe.
    static bool describe(const Expression& selection, json::Object& element) {
        if (selection.form == Expression::Form::And) {
            return describe(selection.operands[0], element) &&
                   describe(selection.operands[1], element);
        }
        const Literal& literal = selection.literal;
        if (selection.form != Expression::Form::Compare || selection.op != "eq" ||
            literal.form == Literal::Form::Null) {
            return false;
        }
        const bool is_text = literal.form == Literal::Form::Text;
        const auto value = is_text ? json::Value(literal.text) : *json::parse(literal.text);
        const auto [known, is_new] = element.emplace(selection.field->sub, value);
        return is_new || known->value() == value;
    }

    static bool apply_selected(const Operation& operation, json::Object& holder) {
        const std::string_view name = operation.target->attribute;
        json::Array& elements = elements_of(holder, name);
        const auto is_selected = [&](const json::Value& element) {
            return !operation.selection || matches_element(*operation.selection, element);
        };
        const bool removes = operation.kind == PatchKind::Remove;
        const bool empty = !removes && clears(*operation.value);
        if (operation.sub.empty() && (removes || empty)) {
            if (operation.kind != PatchKind::Add) erase_if(elements, is_selected);
            return true;
        }
        json::Object described;
        const bool is_described = !operation.selection || describe(*operation.selection, described);
        std::vector<std::size_t> chosen;
        bool found = false;
        for (std::size_t i = 0; i < elements.size(); ++i) {
            if (!is_selected(elements[i])) continue;
            found = true;
            const bool was_primary = is_primary(elements[i]);
            change(operation, elements[i].get_object(), is_described ? described : json::Object{});
            if (!was_primary && is_primary(elements[i])) chosen.push_back(i);
        }
        if (!found && !removes && !empty) {
            if (!is_described || (operation.kind == PatchKind::Replace && operation.selection)) {
                return false;
            }
            json::Object made = described;
            change(operation, made, described);
            if (is_primary(json::Value(made))) chosen.push_back(elements.size());
            elements.emplace_back(std::move(made));
        }
        give_primary(elements, chosen);
        return true;
    }

    static void change(const Operation& operation, json::Object& element,
                       const json::Object& described) {
        if (!operation.sub.empty())
            return set(operation.kind, element, operation.sub, operation.value);
        if (operation.kind == PatchKind::Add) {
            for (const auto& [sub, value] : operation.value->get_object()) {
                set(PatchKind::Add, element, sub, value);
            }
            return;
        }
        const json::Value given = cleaned(*operation.value);
        if (given.is_null()) return;
        element = described;
        for (const auto& [sub, value] : given.get_object()) element[sub] = value;
    }

    /// Leaves out elements that only say something about a value which they lack (RFC 7643 §2.4);
    /// false where two are primary.
    static bool keep(std::string_view, json::Value& value) {
        if (!value.is_array()) return true;
        json::Array& elements = value.get_array();
        erase_if(elements, [](const json::Value& element) {
            if (!is_present(element)) return true;
            if (!element.is_object()) return false;
            return std::ranges::all_of(element.get_object(), [](const auto& member) {
                return member.key() == "type" || member.key() == "display" ||
                       member.key() == "primary" || !is_present(member.value());
            });
        });
        for (json::Value& element : elements) {
            if (element.is_object()) element = cleaned(element);
        }
        return std::ranges::count_if(elements, is_primary) <= 1;
    }

    template <class Predicate>
    static void erase_if(json::Array& array, Predicate predicate) {
        array.erase(std::remove_if(array.begin(), array.end(), predicate), array.end());
    }

    json::Object document_;
};

TEST(Patches, DoWhatTheRfcSays) {
    hold(0.2, [](Choices& choices) -> std::string {
        json::Object start = any_user(choices);
        start["userName"] = "ada";
        start.erase("active");
        const auto before = scim::finish_document(user_type(), std::move(start));
        if (!before) return before.error().detail;

        Model model{*before};
        std::vector<scim::PatchOperation> operations;
        std::string story = json::to_text(*before);
        bool fine = true;
        for (auto count = 1 + choices.below(4); count > 0 && fine; --count) {
            const Operation operation = any_operation(choices);
            operations.push_back(written(choices, operation));
            const auto& sent = operations.back();
            story += fmt::format(
                "\n{} \"{}\" {}",
                std::array{"add", "replace", "remove"}.at(static_cast<std::size_t>(sent.kind)),
                sent.path, sent.value ? json::to_text(*sent.value) : "");
            fine =
                (!operation.selection || is_valid(*operation.selection)) && model.apply(operation);
        }
        auto expected = fine ? model.finished() : std::nullopt;
        const auto patched = scim::apply_patch(user_type(), *before, operations);
        if (patched.has_value() != expected.has_value()) {
            return story + '\n' + (patched ? "was not refused" : patched.error().detail);
        }
        if (!patched) return patched.error().status == 400 ? "" : story + "\nis no 400";
        json::Object after = patched->document;
        after.erase("schemas");
        if (after == *expected) return "";
        return fmt::format("{}\ngives {}\nnot   {}", story, json::to_text(after),
                           json::to_text(*expected));
    });
}

}  // namespace
}  // namespace muster::property

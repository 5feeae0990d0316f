// RFC 7643 §7 (`returned`) and RFC 7644 §3.9: what is shown of a resource.

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "filters.hpp"
#include "scim/projection/projection.hpp"

namespace muster::property {
namespace {

using scim::Attribute;
using scim::Returned;

/// The type of the filters, with an attribute of each kind of `returned`.
const scim::ResourceType& shy_type() {
    static const auto catalog = [] {
        std::string text{definitions()};
        const auto give = [&](std::string_view name, std::string_view returned) {
            const std::string key = fmt::format(R"("name":"{}")", name);
            text.insert(text.find(key) + key.size(), fmt::format(R"(,"returned":"{}")", returned));
        };
        give("badge", "request");
        give("level", "always");
        give("blob", "never");
        give("kind", "request");
        return scim::Catalog::with(text).value();
    }();
    return catalog->user();
}

/// A request for attributes, or for all but them. Names as "attribute", "attribute.sub" or, of an
/// extension, "urn" and "urn:attribute", in lower case.
struct Wish {
    bool only = false;
    std::vector<std::string> names;

    [[nodiscard]] bool names_one(std::string_view urn, std::string_view path) const {
        std::string name{urn};
        if (!urn.empty() && !path.empty()) name += ':';
        name += path;
        std::ranges::transform(name, name.begin(),
                               [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        return std::ranges::find(names, name) != names.end();
    }
};

/// The reference: one attribute at a time, from the definition of `returned`.
class Shown {
  public:
    Shown(const scim::ResourceType& type, const Wish& wish) : type_(type), wish_(wish) {}

    [[nodiscard]] json::Object of(const json::Object& resource) const {
        json::Object shown;
        for (const auto& [name, value] : resource) {
            if (const scim::Schema* extension = type_.extension(name)) {
                json::Object inner;
                for (const auto& [part, part_value] : value.get_object()) {
                    show(extension->id, *extension->find(part), part_value, inner);
                }
                if (!inner.empty()) shown[name] = std::move(inner);
            } else {
                show("", *type_.find(name), value, shown);
            }
        }
        return shown;
    }

  private:
    void show(std::string_view urn, const Attribute& attribute, const json::Value& value,
              json::Object& to) const {
        if (attribute.returned == Returned::Never) return;
        const bool whole =
            wish_.names_one(urn, attribute.name) || (!urn.empty() && wish_.names_one(urn, ""));
        const bool always = attribute.returned == Returned::Always;
        if (!always && !wish_.only && (whole || attribute.returned == Returned::Request)) return;
        if (attribute.type != scim::Type::Complex) {
            if (always || whole || !wish_.only) to[attribute.name] = value;
            return;
        }
        const auto parts = [&](const json::Value& one) {
            json::Object kept;
            for (const auto& [name, part] : one.get_object()) {
                const Attribute& sub = *attribute.find(name);
                const bool named = wish_.names_one(urn, attribute.name + "." + sub.name);
                const bool by_default = sub.returned == Returned::Default;
                const bool wanted =
                    wish_.only ? named || (whole && by_default) : by_default && !named;
                if (wanted) kept[name] = part;
            }
            return kept;
        };
        if (value.is_object()) {
            if (auto kept = parts(value); !kept.empty()) to[attribute.name] = std::move(kept);
            return;
        }
        json::Array elements;
        for (const json::Value& one : value.get_array()) {
            if (auto kept = parts(one); !kept.empty()) elements.emplace_back(std::move(kept));
        }
        if (!elements.empty()) to[attribute.name] = std::move(elements);
    }

    const scim::ResourceType& type_;
    const Wish& wish_;
};

constexpr auto kNames = std::to_array<std::string_view>({
    "id",
    "schemas",
    "userName",
    "title",
    "active",
    "name",
    "name.familyName",
    "emails",
    "emails.value",
    "emails.type",
    "photos.value",
    "roles",
    "meta",
    "meta.created",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
    "urn:example:gear:2.0:User",
    "urn:example:gear:2.0:User:badge",
    "urn:example:gear:2.0:User:level",
    "urn:example:gear:2.0:User:blob",
    "urn:example:gear:2.0:User:tags",
    "urn:example:gear:2.0:User:kit",
    "urn:example:gear:2.0:User:kit.kind",
    "urn:example:gear:2.0:User:kit.size",
    "nosuch",
    "emails.nosuch",
    "urn:example:other",
});

json::Value pruned(const json::Value& value) {
    if (value.is_object()) {
        json::Object kept;
        for (const auto& [name, inner] : value.get_object()) {
            if (is_present(inner)) kept[name] = pruned(inner);
        }
        return kept;
    }
    if (!value.is_array()) return value;
    json::Array kept;
    for (const json::Value& inner : value.get_array()) {
        if (is_present(inner)) kept.push_back(pruned(inner));
    }
    return kept;
}

json::Object any_resource(Choices& choices) {
    json::Object resource = any_user(choices);
    resource["schemas"] = json::Array{scim::kUserSchema};
    resource["id"] = "1";
    resource["password"] = "never";
    resource["meta"] = json::Object{{"resourceType", "User"}, {"created", "2026"}};
    return pruned(json::Value(resource)).get_object();
}

TEST(Projections, ShowWhatReturnedSays) {
    hold(0.1, [](Choices& choices) -> std::string {
        const json::Object resource = any_resource(choices);
        Wish wish{.only = choices.once_in(2), .names = {}};
        std::string list;
        for (auto count = 1 + choices.below(4); count > 0; --count) {
            const std::string_view name = choices.of(kNames);
            list.append(list.empty() ? "" : choices.once_in(4) ? " , " : ",");
            list.append(any_spelling(choices, name));
            wish.names.emplace_back(name);
            for (char& c : wish.names.back()) {
                c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
            }
        }
        const auto& type = shy_type();
        const auto projection = wish.only ? scim::Projection::parse(type, list, "")
                                          : scim::Projection::parse(type, "", list);
        if (!projection) return list + ": " + projection.error().detail;
        json::Object shown = resource;
        projection->apply(type, shown);
        const json::Object expected = Shown(type, wish).of(resource);
        if (shown != expected) {
            return fmt::format("{} {} of {}\nshows {}\nnot   {}", wish.only ? "only" : "without",
                               list, json::to_text(resource), json::to_text(shown),
                               json::to_text(expected));
        }
        json::Object again = shown;
        projection->apply(type, again);
        if (again != shown) return list + " shows less the second time";
        return "";
    });
}

TEST(Projections, ByDefaultShowAllButSecretsAndRequests) {
    hold(0.02, [](Choices& choices) -> std::string {
        const json::Object resource = any_resource(choices);
        json::Object shown = resource;
        scim::Projection{}.apply(shy_type(), shown);
        if (shown == Shown(shy_type(), {}).of(resource)) return "";
        return json::to_text(resource) + "\nshows " + json::to_text(shown);
    });
}

}  // namespace
}  // namespace muster::property

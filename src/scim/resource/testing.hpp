#pragma once
// What the tests of resource/, patch/ and projection/ share. Included by tests alone.

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "json/json.hpp"
#include "scim/resource/resource.hpp"
#include "scim/schema/schema.hpp"

namespace muster::scim::testing {

/// Replaces $E by the URN of the enterprise extension, $U and $G by those of the core schemas.
inline std::string expand(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const std::string_view two = text.substr(i, 2);
        const std::string_view urn = two == "$E"   ? kEnterpriseUserSchema
                                     : two == "$U" ? kUserSchema
                                     : two == "$G" ? kGroupSchema
                                                   : std::string_view{};
        if (urn.empty()) {
            result += text[i];
        } else {
            result += urn;
            ++i;
        }
    }
    return result;
}

inline json::Value value(std::string_view text) {
    const auto parsed = json::parse(expand(text));
    EXPECT_TRUE(parsed.has_value()) << text;
    return parsed.value_or(json::Value(nullptr));
}

inline json::Object object(std::string_view text) {
    json::Value parsed = value(text);
    EXPECT_TRUE(parsed.is_object()) << text;
    return parsed.is_object() ? std::move(parsed.get_object()) : json::Object{};
}

inline std::vector<std::string> rules(const std::vector<Note>& notes) {
    std::vector<std::string> result;
    for (const Note& note : notes) result.push_back(note.rule);
    return result;
}

/// A type with the kinds of attribute that the standard schemas lack.
class Gadgets {
  public:
    Gadgets() {
        const auto text = [](std::string name) { return Attribute{.name = std::move(name)}; };
        Attribute badge = text("badge");
        badge.mutability = Mutability::Immutable;
        Attribute serial = text("serial");
        serial.mutability = Mutability::ReadOnly;
        Attribute tags = text("tags");
        tags.multi_valued = true;
        Attribute level = text("level");
        level.type = Type::Integer;
        Attribute weight = text("weight");
        weight.type = Type::Decimal;
        Attribute since = text("since");
        since.type = Type::DateTime;
        Attribute blob = text("blob");
        blob.type = Type::Binary;
        Attribute user_name = text("userName");
        user_name.required = true;
        user_name.uniqueness = Uniqueness::Server;
        Attribute maker = text("maker");
        maker.type = Type::Complex;
        maker.sub_attributes = {text("country"), badge, serial};
        Attribute parts = maker;
        parts.name = "parts";
        parts.multi_valued = true;
        parts.sub_attributes.push_back(text("kind"));
        parts.sub_attributes.push_back(text("code"));
        parts.sub_attributes.back().required = true;
        Attribute plant = text("plant");
        plant.required = true;
        Attribute links = text("links");
        links.type = Type::Complex;
        links.multi_valued = true;
        links.sub_attributes = {text("type"), text("value")};
        core_ = {.id = "urn:test:Gadget",
                 .name = "Gadget",
                 .description = "",
                 .attributes = {user_name, badge, serial, tags, level, weight, since, blob, maker,
                                parts}};
        extra_ = {.id = "urn:test:Extra:1.0",
                  .name = "Extra",
                  .description = "",
                  .attributes = {plant, serial, badge, tags, links}};
        type_ = {.id = "Gadget",
                 .name = "Gadget",
                 .endpoint = "/Gadgets",
                 .description = "",
                 .schema = &core_,
                 .extensions = {{.schema = &extra_, .required = false}}};
    }
    Gadgets(const Gadgets&) = delete;
    Gadgets& operator=(const Gadgets&) = delete;

    [[nodiscard]] const ResourceType& type() const { return type_; }

  private:
    Schema core_;
    Schema extra_;
    ResourceType type_;
};

}  // namespace muster::scim::testing

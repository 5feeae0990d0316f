// Every cell of the table in patch_table.hpp, and what follows from all of them.

#include "scim/patch/patch_table.hpp"

#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json/value_from.hpp>
#include <gtest/gtest.h>

#include "base/result.hpp"
#include "scim/dialect/testing.hpp"
#include "scim/patch/patch.hpp"
#include "scim/resource/testing.hpp"

namespace muster::scim {
namespace {

using testing::Cell;
using testing::expand;
using testing::kCells;
using testing::object;

static_assert(std::size(kCells) >= 120);

/// As a client of the generic dialect sends it; what the bare core makes of it: strict_test.cpp.
json::Value sent_by(const Cell& cell) {
    json::Object operation{{"op", cell.op}};
    if (cell.path[0] != '\0') operation["path"] = expand(cell.path);
    if (cell.value != nullptr) operation["value"] = testing::value(cell.value);
    return json::Array{std::move(operation)};
}

Result<Patched> apply_cell(const ResourceType& type, const json::Object& before, const Cell& cell) {
    TRY_ASSIGN(const auto operations, testing::read_patch(type, sent_by(cell)));
    return apply_patch(type, before, operations);
}

class PatchTable : public ::testing::Test {
  protected:
    const ResourceType& type_of(char letter) const {
        return letter == 'U'   ? catalog_->user()
               : letter == 'G' ? catalog_->group()
                               : gadgets_.type();
    }

    json::Object document(const Cell& cell, std::string_view members) const {
        json::Object result;
        result["id"] = "x1";
        result[cell.type == 'G' ? "displayName" : "userName"] = cell.type == 'G' ? "Eng" : "ada";
        for (auto& member : object(members)) result[member.key()] = member.value();
        auto finished = finish_document(type_of(cell.type), result);
        EXPECT_TRUE(finished.has_value());
        return finished.value_or(result);
    }

    /// What a cell's `after` is compared with.
    static std::string outcome(const Result<Patched>& patched) {
        if (!patched) return "!" + std::string{to_string(patched.error().type)};
        json::Object shown = patched->document;
        if (patched->members.cleared) shown["cleared"] = true;
        if (!patched->members.add.empty()) {
            shown["+"] = boost::json::value_from(patched->members.add);
        }
        if (!patched->members.remove.empty()) {
            shown["-"] = boost::json::value_from(patched->members.remove);
        }
        return json::to_text(shown);
    }

    std::string expected(const Cell& cell) const {
        if (cell.after[0] == '!') return cell.after;
        json::Object delta;
        json::Object kept;
        for (auto& member : object(cell.after)) {
            const std::string_view key = member.key();
            const bool is_delta = key == "cleared" || key == "+" || key == "-";
            (is_delta ? delta : kept)[key] = member.value();
        }
        json::Object shown = document(cell, json::to_text(kept));
        for (const char* key : {"cleared", "+", "-"}) {
            if (const json::Value* value = delta.if_contains(key)) shown[key] = *value;
        }
        return json::to_text(shown);
    }

    std::shared_ptr<const Catalog> catalog_ = Catalog::standard();
    testing::Gadgets gadgets_;
};

TEST_F(PatchTable, EveryCellGivesItsDocumentOrItsError) {
    for (std::size_t i = 0; i < std::size(kCells); ++i) {
        const Cell& cell = kCells[i];
        const json::Object before = document(cell, cell.before);
        const json::Object untouched = before;
        const auto patched = apply_cell(type_of(cell.type), before, cell);
        EXPECT_EQ(outcome(patched), expected(cell))
            << "cell " << i << ": " << cell.before << ' ' << cell.op << ' ' << cell.path << ' '
            << (cell.value == nullptr ? "(no value)" : cell.value)
            << (patched ? "" : "\n" + patched.error().detail);
        EXPECT_EQ(before, untouched);
        if (!patched) {
            EXPECT_EQ(patched.error().status, 400);
            EXPECT_FALSE(patched.error().detail.empty());
        }
    }
}

TEST_F(PatchTable, EveryCellIsIdempotent) {
    for (const Cell& cell : kCells) {
        const auto& type = type_of(cell.type);
        const auto once = apply_cell(type, document(cell, cell.before), cell);
        if (!once) continue;
        const auto twice = apply_cell(type, once->document, cell);
        const std::string_view path = cell.path;
        // A filter that the new value no longer matches creates or misses on the second run.
        if (!twice || path.find("type eq") != std::string_view::npos) continue;
        EXPECT_EQ(json::to_text(twice->document), json::to_text(once->document))
            << cell.op << ' ' << cell.path << ' ' << (cell.value == nullptr ? "" : cell.value);
    }
}

TEST_F(PatchTable, EveryCellLeavesADocumentThatIsFinished) {
    for (const Cell& cell : kCells) {
        const auto& type = type_of(cell.type);
        const auto patched = apply_cell(type, document(cell, cell.before), cell);
        if (!patched) continue;
        const auto finished = finish_document(type, patched->document);
        ASSERT_TRUE(finished.has_value()) << cell.op << ' ' << cell.path;
        EXPECT_EQ(json::to_text(*finished), json::to_text(patched->document));
    }
}

/// A value that every attribute of a kind takes.
json::Value sample(const Attribute& attribute) {
    json::Value one;
    switch (attribute.type) {
        case Type::Boolean:
            one = false;
            break;
        case Type::Complex: {
            json::Object parts;
            for (const Attribute& sub : attribute.sub_attributes) parts[sub.name] = sample(sub);
            one = std::move(parts);
            break;
        }
        default:
            one = "aGk=";
    }
    if (!attribute.multi_valued) return one;
    json::Array many;
    many.push_back(std::move(one));
    return json::Value(std::move(many));
}

TEST_F(PatchTable, TheMutabilityInTheSchemaDecidesForEveryAttribute) {
    using Kind = PatchOperation::Kind;
    const ResourceType& user = catalog_->user();
    json::Object before = object(R"({"id":"x1","userName":"ada"})");
    int tried = 0;
    const auto try_attribute = [&](const std::string& prefix, const Attribute& attribute) {
        for (const Kind kind : {Kind::Add, Kind::Replace, Kind::Remove}) {
            PatchOperation operation{.kind = kind, .path = prefix + attribute.name, .value = {}};
            if (kind != Kind::Remove) operation.value = sample(attribute);
            const auto patched = apply_patch(user, before, {operation});
            const bool refused = attribute.mutability == Mutability::ReadOnly ||
                                 (kind == Kind::Remove && attribute.required);
            ++tried;
            if (refused) {
                ASSERT_FALSE(patched.has_value()) << operation.path;
                EXPECT_EQ(patched.error().type, ScimType::Mutability) << operation.path;
            } else if (kind == Kind::Remove && attribute.name == "active") {
                EXPECT_FALSE(patched.has_value());
            } else {
                EXPECT_TRUE(patched.has_value()) << operation.path << patched.error().detail;
            }
        }
    };
    for (const Attribute& attribute : user.schema->attributes) try_attribute("", attribute);
    const Schema& enterprise = *user.extensions.front().schema;
    for (const Attribute& attribute : enterprise.attributes) {
        try_attribute(enterprise.id + ":", attribute);
    }
    EXPECT_GT(tried, 70);
}

}  // namespace
}  // namespace muster::scim

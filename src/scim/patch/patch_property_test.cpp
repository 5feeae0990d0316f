// Laws of PATCH that hold for every document and every list of operations.

#include <array>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "scim/dialect/testing.hpp"
#include "scim/patch/patch.hpp"
#include "scim/resource/normalise.hpp"
#include "scim/resource/testing.hpp"

namespace muster::scim {
namespace {

using Kind = PatchOperation::Kind;

template <class T, std::size_t n>
const T& one_of(const std::array<T, n>& choices) {
    return choices.at(*rc::gen::inRange<std::size_t>(0, n));
}

// ---- members --------------------------------------------------------------------------------

std::string any_id() {
    return std::string{one_of(std::array<const char*, 6>{"a", "b", "c", "d", "e", "f"})};
}

std::vector<std::string> any_ids(int at_most) {
    std::vector<std::string> ids;
    const int count = *rc::gen::inRange(0, at_most + 1);
    for (int i = 0; i < count; ++i) ids.push_back(any_id());
    return ids;
}

json::Value as_members(const std::vector<std::string>& ids) {
    json::Array array;
    for (const std::string& id : ids) {
        const int form = *rc::gen::inRange(0, 3);
        if (form == 0) {
            array.emplace_back(id);
        } else if (form == 1) {
            array.push_back({{"value", id}});
        } else {
            array.push_back({{"display", nullptr}, {"type", "User"}, {"value", id}});
        }
    }
    return json::Value(std::move(array));
}

/// An operation on members, done to the model as well.
PatchOperation any_members_operation(std::set<std::string>& model) {
    PatchOperation operation;
    operation.path = "members";
    const std::vector<std::string> ids = any_ids(4);
    switch (*rc::gen::inRange(0, 6)) {
        case 0:
            operation.kind = Kind::Add;
            operation.value = as_members(ids);
            model.insert(ids.begin(), ids.end());
            break;
        case 1:
            operation.kind = Kind::Replace;
            operation.value = as_members(ids);
            model = {ids.begin(), ids.end()};
            break;
        case 2:
            operation.kind = Kind::Remove;
            operation.value = as_members(ids);
            for (const std::string& id : ids) model.erase(id);
            break;
        case 3:
            operation.kind = Kind::Remove;
            model.clear();
            break;
        case 4: {
            operation.kind = *rc::gen::arbitrary<bool>() ? Kind::Add : Kind::Replace;
            operation.path.clear();
            operation.value = json::Object{{"members", as_members(ids)}, {"displayName", "Eng"}};
            if (operation.kind == Kind::Replace) model.clear();
            model.insert(ids.begin(), ids.end());
            break;
        }
        default: {
            operation.kind = Kind::Remove;
            std::string filter;
            for (const std::string& id : any_ids(3)) {
                filter += "value eq \"" + id + "\" or ";
                model.erase(id);
            }
            const std::string last = any_id();
            model.erase(last);
            operation.path = "members[" + filter + "value eq \"" + last + "\"]";
        }
    }
    return operation;
}

TEST(PatchLaws, TheFoldedDeltaIsWhatASetWouldSay) {
    const auto catalog = Catalog::standard();
    const json::Object before = testing::object(R"({"displayName":"Eng"})");
    EXPECT_TRUE(rc::check([&] {
        const std::vector<std::string> old_ids = any_ids(6);
        const std::set<std::string> old(old_ids.begin(), old_ids.end());
        std::set<std::string> model = old;
        std::vector<PatchOperation> operations;
        const int count = *rc::gen::inRange(1, 12);
        for (int i = 0; i < count; ++i) operations.push_back(any_members_operation(model));

        json::Array sent;
        for (const PatchOperation& each : operations) sent.push_back(testing::to_json(each));
        const auto read = testing::read_patch(catalog->group(), std::move(sent));
        RC_ASSERT(read.has_value());
        const auto patched = apply_patch(catalog->group(), before, *read);
        RC_ASSERT(patched.has_value());
        const MembersDelta& delta = patched->members;
        std::set<std::string> result = delta.cleared ? std::set<std::string>{} : old;
        for (const std::string& id : delta.remove) result.erase(id);
        result.insert(delta.add.begin(), delta.add.end());
        RC_ASSERT(result == model);

        const std::set<std::string> added(delta.add.begin(), delta.add.end());
        const std::set<std::string> removed(delta.remove.begin(), delta.remove.end());
        RC_ASSERT(added.size() == delta.add.size());
        RC_ASSERT(removed.size() == delta.remove.size());
        for (const std::string& id : removed) RC_ASSERT(!added.contains(id));
        RC_ASSERT(!delta.cleared || removed.empty());
    }));
}

// ---- documents ------------------------------------------------------------------------------

std::string any_path() {
    static const std::array<std::string, 26> kPaths = {
        "",
        "title",
        "active",
        "name",
        "name.givenName",
        "emails",
        "emails.value",
        "emails.primary",
        "emails[type eq \"work\"]",
        "emails[type eq \"work\"].value",
        "emails[type eq \"home\" and primary eq true].value",
        "emails[type eq \"work\"].primary",
        "emails[value co \"a\"]",
        "roles",
        "addresses[type eq \"work\"].locality",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
        "department",
        "userName",
        "id",
        "groups",
        "schemas",
        "password",
        "shoeSize",
        "emails[",
    };
    return one_of(kPaths);
}

json::Value any_value() {
    static const std::array<std::string, 22> kValues = {
        "null",
        R"("")",
        R"("a")",
        R"("b@x")",
        "true",
        R"("False")",
        "7",
        "[]",
        "{}",
        R"({"value":"a@x"})",
        R"({"value":"a@x","type":"work","primary":true})",
        R"([{"value":"a@x","type":"home","primary":true},{"value":"b@x"}])",
        R"([{"value":"a@x","primary":true},{"value":"b@x","primary":true}])",
        R"(["a","b"])",
        R"({"givenName":"A","familyName":null})",
        R"({"title":"CTO","id":"x","password":"p"})",
        R"({"name.givenName":"A","emails[type eq \"work\"].value":"c@x"})",
        R"({"department":"D","manager":"m1"})",
        R"({"$E":{"manager":{"value":"m2","displayName":"Bo"}}})",
        R"({"active":"true","userName":"bob"})",
        R"({"shoeSize":44})",
        R"([[]])",
    };
    return testing::value(one_of(kValues));
}

PatchOperation any_operation() {
    PatchOperation operation;
    operation.kind = one_of(std::array{Kind::Add, Kind::Replace, Kind::Remove});
    operation.path = any_path();
    if (*rc::gen::inRange(0, 4) != 0) operation.value = any_value();
    return operation;
}

json::Object any_document() {
    static const std::array<std::string, 4> kDocuments = {
        R"({"userName":"ada"})",
        R"({"id":"u1","userName":"ada","title":"CEO","active":false,"name":{"familyName":"K"}})",
        R"({"userName":"ada","emails":[{"value":"a@x","type":"work","primary":true},
            {"value":"a@x","type":"home"},{"value":"z@x"}],"roles":[{"value":"a"}]})",
        R"({"userName":"ada","addresses":[{"locality":"Ulm","type":"work"}],
            "$E":{"department":"D","manager":{"value":"m1","$ref":"../Users/m1"}}})",
    };
    const json::Object document = testing::object(one_of(kDocuments));
    return *finish_document(Catalog::standard()->user(), document);
}

const ResourceType& user() { return Catalog::standard()->user(); }

/// Operations that can be applied to the document one after the other.
std::vector<PatchOperation> applicable_operations(const json::Object& document, int count) {
    std::vector<PatchOperation> operations;
    for (int tries = 0; tries < 20 && std::ssize(operations) < count; ++tries) {
        operations.push_back(any_operation());
        if (!apply_patch(user(), document, operations)) operations.pop_back();
    }
    return operations;
}

TEST(PatchLaws, EveryResultIsAFinishedDocument) {
    EXPECT_TRUE(rc::check([] {
        const json::Object before = any_document();
        const auto operations = applicable_operations(before, *rc::gen::inRange(1, 6));
        const auto patched = apply_patch(user(), before, operations);
        RC_ASSERT(patched.has_value());
        const auto finished = finish_document(user(), patched->document);
        RC_ASSERT(finished.has_value());
        RC_ASSERT(json::to_text(*finished) == json::to_text(patched->document));
        RC_ASSERT(!patched->document.contains("password"));
        RC_ASSERT(patched->document.contains("id") == before.contains("id"));
        RC_ASSERT(patched->members.empty());
    }));
}

TEST(PatchLaws, AListWithOneWrongOperationAnywhereDoesNothing) {
    EXPECT_TRUE(rc::check([] {
        const json::Object before = any_document();
        const json::Object copy = before;
        auto operations = applicable_operations(before, 4);
        const auto place = *rc::gen::inRange<std::ptrdiff_t>(0, std::ssize(operations) + 1);
        operations.insert(operations.begin() + place,
                          {.kind = Kind::Remove, .path = "shoeSize", .value = {}});
        RC_ASSERT(!apply_patch(user(), before, operations).has_value());
        RC_ASSERT(before == copy);
    }));
}

/// Emptied elements stay until the request ends, so that what follows may fill them again.
bool empties_elements(const PatchOperation& operation) {
    const bool clears = operation.kind == Kind::Remove || is_unassigned(*operation.value);
    return clears && operation.path.starts_with("emails") && operation.path.contains('.');
}

TEST(PatchLaws, AppliedTogetherOrOneByOneOperationsDoTheSame) {
    EXPECT_TRUE(rc::check([] {
        const json::Object before = any_document();
        const auto operations = applicable_operations(before, 4);
        json::Object stepwise = before;
        for (const PatchOperation& operation : operations) {
            if (empties_elements(operation)) return;
            auto patched = apply_patch(user(), stepwise, {operation});
            // A label without a value outlives an operation but not a request, and a document in
            // between may have two primaries.
            if (!patched || (!patched->notes.empty() &&
                             patched->notes.back().rule == "empty-element-dropped")) {
                return;
            }
            stepwise = std::move(patched->document);
        }
        const auto together = apply_patch(user(), before, operations);
        RC_ASSERT(together.has_value());
        RC_ASSERT(json::to_text(together->document) == json::to_text(stepwise));
    }));
}

TEST(PatchLaws, AddAndReplaceAreIdempotent) {
    EXPECT_TRUE(rc::check([] {
        const json::Object before = any_document();
        PatchOperation operation = any_operation();
        operation.kind = one_of(std::array{Kind::Add, Kind::Replace});
        // The new element may be of another type than the one that the filter selects.
        if (operation.path.ends_with(']')) return;
        const auto once = apply_patch(user(), before, {operation});
        if (!once) return;
        const auto twice = apply_patch(user(), once->document, {operation});
        RC_ASSERT(twice.has_value());
        RC_ASSERT(json::to_text(twice->document) == json::to_text(once->document));
    }));
}

TEST(PatchLaws, TheGenericDialectDoesNothingToWhoKeepsToTheRfc) {
    EXPECT_TRUE(rc::check([] {
        const json::Object before = any_document();
        const auto operations = applicable_operations(before, 4);
        if (operations.empty()) return;
        json::Array sent;
        for (const PatchOperation& each : operations) sent.push_back(testing::to_json(each));
        const auto read = testing::read_patch(user(), std::move(sent));
        RC_ASSERT(read.has_value());
        const auto as_sent = apply_patch(user(), before, operations);
        const auto rewritten = apply_patch(user(), before, *read);
        RC_ASSERT(as_sent.has_value() && rewritten.has_value());
        RC_ASSERT(json::to_text(rewritten->document) == json::to_text(as_sent->document));
    }));
}

TEST(PatchLaws, PuttingBackWhatPatchLeftChangesNothing) {
    EXPECT_TRUE(rc::check([] {
        const json::Object before = any_document();
        const auto patched = apply_patch(user(), before, applicable_operations(before, 3));
        RC_ASSERT(patched.has_value());
        const auto put = prepare(user(), json::Value(patched->document), &patched->document);
        RC_ASSERT(put.has_value());
        json::Object expected = patched->document;
        if (!expected.contains("active")) expected["active"] = true;
        RC_ASSERT(put->document == expected);
        RC_ASSERT(put->notes.empty());
    }));
}

}  // namespace
}  // namespace muster::scim

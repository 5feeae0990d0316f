// What the core makes of a PATCH that no dialect has rewritten: RFC 7644 §3.5.2 to the letter.

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "scim/patch/patch.hpp"
#include "scim/resource/testing.hpp"

namespace muster::scim {
namespace {

struct Letter {
    char type;  ///< U: user, G: group
    const char* operation;
    ScimType refusal;  ///< None: it is accepted
};

// clang-format off
constexpr Letter kLetters[] = {
    {'U', R"({"op":"Replace","path":"title","value":"x"})", ScimType::InvalidSyntax},
    {'U', R"({"op":"replace","path":"title","value":"x"})", ScimType::None},

    {'U', R"({"op":"replace","value":{"id":"x","title":"y"}})",        ScimType::Mutability},
    {'U', R"({"op":"replace","value":{"groups":[]}})",                 ScimType::Mutability},
    {'U', R"({"op":"replace","value":{"title":"y"}})",                 ScimType::None},
    {'U', R"({"op":"replace","value":{"$E":{"department":"y"}}})",     ScimType::None},
    {'U', R"({"op":"replace","value":{"name.givenName":"y"}})",        ScimType::InvalidPath},
    {'U', R"({"op":"replace","value":{"$E:department":"y"}})",         ScimType::InvalidPath},
    {'U', R"({"op":"replace","value":{"department":"y"}})",            ScimType::InvalidPath},
    {'U', R"({"op":"replace","value":{"emails[type eq \"a\"].value":"y"}})", ScimType::InvalidPath},
    {'U', R"({"op":"replace","path":"$E","value":{"manager.value":"y"}})",   ScimType::InvalidPath},

    {'U', R"({"op":"remove","path":"emails","value":[{"value":"a@x"}]})", ScimType::InvalidValue},
    {'U', R"({"op":"remove","path":"emails[value eq \"a@x\"]"})",         ScimType::None},
    {'U', R"({"op":"remove","path":"emails"})",                           ScimType::None},
    {'G', R"({"op":"remove","path":"members","value":[{"value":"a"}]})",  ScimType::InvalidValue},
    {'G', R"({"op":"remove","path":"members","value":[]})",               ScimType::InvalidValue},
    {'G', R"({"op":"remove","path":"members[value eq \"a\"]"})",          ScimType::None},

    {'U', R"({"op":"replace","path":"emails[type eq \"home\"].value","value":"b@x"})",   ScimType::NoTarget},
    {'U', R"({"op":"replace","path":"emails[type eq \"home\"]","value":{"value":"b@x"}})", ScimType::NoTarget},
    {'U', R"({"op":"add","path":"emails[type eq \"home\"].value","value":"b@x"})",       ScimType::None},
    {'U', R"({"op":"replace","path":"emails[type eq \"work\"].value","value":"b@x"})",   ScimType::None},

    {'U', R"({"op":"replace","path":"active","value":"False"})",       ScimType::InvalidValue},
    {'U', R"({"op":"add","path":"emails","value":{"value":"b@x"}})",   ScimType::InvalidValue},
    {'U', R"({"op":"add","path":"emails","value":["b@x"]})",           ScimType::InvalidValue},
    {'U', R"({"op":"add","path":"emails[type eq \"work\"]","value":[{"value":"b@x"}]})", ScimType::InvalidValue},
    {'U', R"({"op":"add","path":"$E:manager","value":"m"})",           ScimType::InvalidValue},
    {'U', R"({"op":"add","path":"$E:manager","value":[{"value":"m"}]})", ScimType::InvalidValue},
    {'U', R"({"op":"add","path":"$E:manager","value":{"value":"m"}})", ScimType::None},
    {'G', R"({"op":"add","path":"members","value":{"value":"a"}})",    ScimType::InvalidValue},
    {'G', R"({"op":"add","path":"members","value":["a"]})",            ScimType::InvalidValue},
    {'G', R"({"op":"add","path":"members","value":[{"value":"a"}]})",  ScimType::None},
};
// clang-format on

TEST(StrictPatch, TheCoreKeepsToTheLetter) {
    const auto catalog = Catalog::standard();
    for (const Letter& letter : kLetters) {
        const bool is_user = letter.type == 'U';
        const ResourceType& type = is_user ? catalog->user() : catalog->group();
        const json::Object before = testing::object(
            is_user ? R"({"userName":"ada","emails":[{"value":"a@x","type":"work"}]})"
                    : R"({"displayName":"Eng"})");
        const json::Value body =
            json::Object{{"schemas", json::Array{kPatchOp}},
                         {"Operations", json::Array{testing::value(letter.operation)}}};
        const auto operations = parse_patch(body);
        const auto patched = operations ? apply_patch(type, before, *operations)
                                        : Result<Patched>{std::unexpected(operations.error())};
        EXPECT_EQ(patched ? ScimType::None : patched.error().type, letter.refusal)
            << letter.operation << (patched ? "" : patched.error().detail);
    }
}

}  // namespace
}  // namespace muster::scim

#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scim/resource/testing.hpp"

namespace muster::scim {
namespace {

using ::testing::HasSubstr;
using testing::object;
using testing::value;

class Finish : public ::testing::Test {
  protected:
    std::string finished(std::string_view document) const {
        const auto result = finish_document(catalog_->user(), object(document));
        EXPECT_TRUE(result.has_value()) << document << result.error().detail;
        return result ? json::to_text(*result) : "";
    }
    Error refused(std::string_view document) const {
        const auto result = finish_document(catalog_->user(), object(document));
        EXPECT_FALSE(result.has_value()) << document;
        return result ? Error{} : result.error();
    }

    std::shared_ptr<const Catalog> catalog_ = Catalog::standard();
};

TEST_F(Finish, PutsEverythingIntoTheOrderOfTheSchema) {
    EXPECT_EQ(finished(R"({"$E":{"manager":{"$ref":"r","value":"m"},"costCenter":"c"},
                           "emails":[{"primary":true,"type":"work","value":"a"}],
                           "name":{"givenName":"A","formatted":"A K"},
                           "userName":"ada","externalId":"e","id":"u1"})"),
              json::to_text(value(R"({"schemas":["$U","$E"],"id":"u1","externalId":"e",
                  "userName":"ada","name":{"formatted":"A K","givenName":"A"},
                  "emails":[{"value":"a","type":"work","primary":true}],
                  "$E":{"costCenter":"c","manager":{"value":"m","$ref":"r"}}})")));
}

TEST_F(Finish, RecomputesSchemasFromTheExtensionsThatHoldData) {
    EXPECT_EQ(finished(R"({"schemas":["$U","$E"],"userName":"ada","$E":{"manager":{}}})"),
              json::to_text(value(R"({"schemas":["$U"],"userName":"ada"})")));
}

TEST_F(Finish, DropsWhatIsNotStored) {
    EXPECT_EQ(finished(R"({"userName":"ada","meta":{"version":"1"},"groups":[{"value":"g"}],
                           "password":"p"})"),
              json::to_text(value(R"({"schemas":["$U"],"userName":"ada"})")));
}

TEST_F(Finish, LeavesWhatNoSchemaHasBehindTheRest) {
    EXPECT_EQ(finished(R"({"badge":[7],"userName":"ada","$E":{"hat":"big","department":"D"},
                           "urn:x:Desk":{"floor":3}})"),
              json::to_text(value(R"({"schemas":["$U","$E"],"userName":"ada",
                                      "$E":{"department":"D","hat":"big"},"badge":[7],
                                      "urn:x:Desk":{"floor":3}})")));
}

TEST_F(Finish, DropsValuesWithNothingInThem) {
    EXPECT_EQ(finished(R"({"userName":"ada","title":"","name":{"givenName":null},"roles":[],
                           "emails":[{"type":"work"},{},null,{"primary":true,"display":"x"}],
                           "addresses":[{"type":"work","locality":"Ulm"}]})"),
              json::to_text(value(R"({"schemas":["$U"],"userName":"ada",
                                      "addresses":[{"locality":"Ulm","type":"work"}]})")));
}

TEST_F(Finish, RefusesASecondPrimary) {
    const Error error = refused(R"({"userName":"ada","emails":[
        {"value":"a","primary":true},{"value":"b","primary":false},{"value":"c","primary":true}]})");
    EXPECT_EQ(error.type, ScimType::InvalidValue);
    EXPECT_THAT(error.detail, HasSubstr("emails has 2 values marked as primary"));
}

TEST_F(Finish, RefusesAMissingRequiredAttribute) {
    EXPECT_EQ(refused(R"({"title":"CTO"})").type, ScimType::InvalidValue);
    EXPECT_EQ(refused(R"({"userName":""})").type, ScimType::InvalidValue);
}

TEST_F(Finish, IsIdempotent) {
    const std::string once =
        finished(R"({"emails":[{"type":"work","value":"a"}],"userName":"ada"})");
    EXPECT_EQ(finished(once), once);
}

TEST(IsActive, IsTrueUnlessTheDocumentSaysFalse) {
    EXPECT_TRUE(is_active(object("{}")));
    EXPECT_TRUE(is_active(object(R"({"active":true})")));
    EXPECT_FALSE(is_active(object(R"({"active":false})")));
}

using Keys = std::vector<IndexKey>;

TEST(Keys, OfUniqueAttributesAreWholeAndFolded) {
    const auto catalog = Catalog::standard();
    const std::string longest(1000, 'N');
    const json::Object user =
        object(R"({"id":"u1","userName":" )" + longest + R"( ","displayName":"D"})");
    EXPECT_EQ(unique_keys(catalog->user(), user), (Keys{{"username", std::string(1000, 'n')}}));
    EXPECT_EQ(unique_keys(catalog->group(), object(R"({"id":"g","displayName":"Éng"})")),
              (Keys{{"displayname", "éng"}}));
    EXPECT_EQ(unique_keys(catalog->user(), object("{}")), Keys{});
}

TEST(Keys, OfIndexedAttributesAreSortedDistinctAndCutBetweenCharacters) {
    const auto catalog = Catalog::standard();
    std::string name;
    for (int i = 0; i < 100; ++i) name += "\u20ac";
    const json::Object user =
        object(R"({"externalId":"Ee","userName":"ada","displayName":")" + name +
               R"(","emails":[{"value":"b@X"},{"value":"A@x"},
                                                    {"value":"B@x","type":"home"}]})");
    EXPECT_EQ(index_keys(catalog->user(), user), (Keys{{"displayname", name.substr(0, 255)},
                                                       {"emails.value", "a@x"},
                                                       {"emails.value", "b@x"},
                                                       {"externalid", "Ee"}}));
}

TEST(Keys, OfAnExtensionBearItsUrn) {
    Schema core{.id = "urn:core", .name = "", .description = "", .attributes = {}};
    Attribute number{.name = "Number", .type = Type::Integer, .indexed = true};
    Schema extra{.id = "urn:X", .name = "", .description = "", .attributes = {number}};
    const ResourceType type{.id = "T",
                            .name = "T",
                            .endpoint = "/T",
                            .description = "",
                            .schema = &core,
                            .extensions = {{.schema = &extra, .required = false}}};
    EXPECT_EQ(index_keys(type, object(R"({"urn:X":{"Number":7}})")), (Keys{{"urn:x:number", "7"}}));
}

class Diff : public ::testing::Test {
  protected:
    std::string changes(const json::Object& before, std::string_view after) const {
        std::string text;
        for (const Change& change : diff(catalog_->user(), before, object(after))) {
            text += change.path + ": " + change.before + " -> " + change.after + '\n';
        }
        return text;
    }

    std::shared_ptr<const Catalog> catalog_ = Catalog::standard();
};

TEST_F(Diff, ListsChangedLeavesAndWholeMultiValuedAttributesInTheOrderOfTheSchema) {
    const json::Object before = object(R"({"schemas":["$U","$E"],"id":"u1","externalId":"e",
        "userName":"ada","name":{"givenName":"A","familyName":"K"},"title":"CTO","active":true,
        "emails":[{"value":"a@x"}],"$E":{"department":"D","manager":{"value":"m1"}}})");
    EXPECT_EQ(changes(before, R"({"schemas":["$U"],"id":"u1","externalId":"f",
        "userName":"ada","name":{"givenName":"B","familyName":"K"},"nickName":"x","active":false,
        "emails":[{"value":"a@x"},{"value":"b@x"}],"$E":{"manager":{"value":"m2"}}})"),
              "externalId: \"e\" -> \"f\"\n"
              "name.givenName: \"A\" -> \"B\"\n"
              "nickName:  -> \"x\"\n"
              "title: \"CTO\" -> \n"
              "active: true -> false\n"
              "emails: [{\"value\":\"a@x\"}] -> [{\"value\":\"a@x\"},{\"value\":\"b@x\"}]\n"
              "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department: \"D\" -> \n"
              "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value: "
              "\"m1\" -> \"m2\"\n");
}

TEST_F(Diff, FromNothingIsAllOfIt) {
    EXPECT_EQ(changes({}, R"({"schemas":["$U"],"id":"u1","userName":"ada","name":{"givenName":"A"},
                                   "$E":{"division":"V"}})"),
              "userName:  -> \"ada\"\nname.givenName:  -> \"A\"\n"
              "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:division:  -> \"V\"\n");
}

TEST_F(Diff, OfEqualDocumentsIsEmpty) {
    const json::Object document = object(R"({"userName":"ada","emails":[{"value":"a"}]})");
    EXPECT_EQ(changes(document, R"({"emails":[{"value":"a"}],"userName":"ada"})"), "");
}

TEST_F(Diff, OfAnEmptiedDocumentListsWhatWent) {
    const json::Object before = object(R"({"name":{"givenName":"A"},"$E":{"division":"V"}})");
    EXPECT_EQ(changes(before, "{}"),
              "name.givenName: \"A\" -> \n"
              "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:division: \"V\" -> \n");
}

TEST_F(Finish, WhoHasNothingOfAnExtensionNeedNotHaveWhatItRequires) {
    const testing::Gadgets gadgets;
    const auto finished_with = [&](std::string_view extra) {
        return finish_document(gadgets.type(),
                               object(R"({"schemas":["urn:test:Gadget"],"userName":"a",
                                          "urn:test:Extra:1.0":)" +
                                      std::string{extra} + "}"));
    };
    for (const char* nothing : {"{}", R"({"links":[{"type":"x"}]})"}) {
        const auto result = finished_with(nothing);
        ASSERT_TRUE(result.has_value()) << nothing << result.error().detail;
        EXPECT_FALSE(result->contains("urn:test:Extra:1.0")) << nothing;
    }
    const auto refused = finished_with(R"({"links":[{"value":"x"}]})");
    ASSERT_FALSE(refused.has_value());
    EXPECT_THAT(refused.error().detail, HasSubstr("urn:test:Extra:1.0:plant is required"));
}

}  // namespace
}  // namespace muster::scim

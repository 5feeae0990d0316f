// {"type"?: "Group", "document": …, "operations": […]}: whatever they are, PATCH neither crashes
// nor gives a document that is not finished, and a list that fails leaves nothing behind.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.hpp"
#include "json/json.hpp"
#include "scim/dialect/dialect.hpp"
#include "scim/patch/patch.hpp"
#include "scim/projection/projection.hpp"
#include "scim/resource/resource.hpp"
#include "scim/schema/schema.hpp"

namespace {

using namespace muster;

/// The document as a store would hold it: what POST makes of the input, else an empty resource.
json::Object stored_document(const scim::ResourceType& type, const json::Object& input) {
    const json::Value* document = input.if_contains("document");
    if (document != nullptr) {
        if (auto prepared = scim::prepare(type, *document, nullptr)) {
            const auto again = scim::prepare(type, json::Value(prepared->document), nullptr);
            MUSTER_CHECK(again.has_value());
            MUSTER_CHECK(json::to_text(again->document) == json::to_text(prepared->document));
            const auto finished = scim::finish_document(type, prepared->document);
            MUSTER_CHECK(finished.has_value());
            MUSTER_CHECK(json::to_text(*finished) == json::to_text(prepared->document));
            return std::move(prepared->document);
        }
    }
    const bool is_user = type.name == "User";
    return {{is_user ? "userName" : "displayName", "x"}};
}

void check_delta(const scim::MembersDelta& delta) {
    MUSTER_CHECK(!delta.cleared || delta.remove.empty());
    for (const std::string& id : delta.add) MUSTER_CHECK(!id.empty());
}

void check_patch(const scim::ResourceType& type, const json::Object& before,
                 const std::vector<scim::PatchOperation>& operations) {
    const std::string text = json::to_text(before);
    const auto patched = scim::apply_patch(type, before, operations);
    MUSTER_CHECK(json::to_text(before) == text);
    if (!patched) {
        MUSTER_CHECK(patched.error().status == 400 && !patched.error().detail.empty());
        return;
    }
    const auto finished = scim::finish_document(type, patched->document);
    MUSTER_CHECK(finished.has_value());
    MUSTER_CHECK(json::to_text(*finished) == json::to_text(patched->document));
    check_delta(patched->members);
    for (const scim::Change& change : scim::diff(type, before, patched->document)) {
        MUSTER_CHECK(!change.path.empty() && change.before != change.after);
    }
    (void)scim::unique_keys(type, patched->document);
    (void)scim::index_keys(type, patched->document);
    json::Object shown = patched->document;
    scim::Projection{}.apply(type, shown);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto input = json::parse(text);
    if (!input || !input->is_object()) return 0;
    const auto catalog = scim::Catalog::standard();
    const json::Object& object = input->get_object();
    const bool is_group = json::string_or_empty(object, "type") == "Group";
    const scim::ResourceType& type = is_group ? catalog->group() : catalog->user();
    const json::Value* list = object.if_contains("operations");
    if (list == nullptr) return 0;
    json::Value body = json::Object{{"Operations", *list}};
    std::vector<scim::Note> notes;
    (void)scim::generic_dialect().rewrite({.verb = scim::Verb::Patch, .type = type, .body = &body},
                                          notes);
    const auto operations = scim::parse_patch(body);
    if (operations) check_patch(type, stored_document(type, object), *operations);
    return 0;
}

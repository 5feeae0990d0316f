#include "support/storm.hpp"

#include <stdexcept>

#include <fmt/format.h>

namespace muster::testing {

std::expected<net::ClientResponse, std::string> Client::send(const std::string& method,
                                                             const std::string& path,
                                                             std::string body) {
    std::vector<std::pair<std::string, std::string>> headers{
        {"Authorization", "Bearer " + tenant_.token}};
    if (!body.empty()) headers.emplace_back("Content-Type", "application/scim+json");
    return http_.send({.method = method,
                       .target = tenant_.target(path),
                       .headers = std::move(headers),
                       .body = std::move(body)});
}

std::string user_body(const std::string& name) {
    return fmt::format(
        R"({{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"{0}","externalId":"{0}","title":"0","emails":[{{"value":"{0}@acme.example","primary":true}}]}})",
        name);
}

std::string patch_body(const std::string& operation) {
    return fmt::format(
        R"({{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{}]}})",
        operation);
}

std::string join_body(const std::string& user_id) {
    return patch_body(
        fmt::format(R"({{"op":"add","path":"members","value":[{{"value":"{}"}}]}})", user_id));
}

std::string make_group(const std::string& address, const Tenant& tenant) {
    Client client(address, tenant);
    const auto made = client.send(
        "POST", "/Groups",
        R"({"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Everyone"})");
    if (!made || made->status != 201) throw std::runtime_error("cannot make the group");
    return text_member(made->body, "id");
}

void storm(const std::stop_token& stop, const std::string& address, const Tenant& tenant,
           const std::string& group, const std::string& prefix, Ledger& ledger) {
    Client client(address, tenant);
    for (int i = 0; !stop.stop_requested(); ++i) {
        const auto created =
            client.send("POST", "/Users", user_body(fmt::format("{}-{}", prefix, i)));
        if (!created) return;
        if (created->status != 201) {
            ledger.refused(created->status);
            continue;
        }
        const auto id = text_member(created->body, "id");
        ledger.created(id);
        const auto title = fmt::format(R"({{"op":"replace","path":"title","value":"{}"}})", i + 1);
        const auto patched = client.send("PATCH", "/Users/" + id, patch_body(title));
        if (!patched) return;
        patched->status == 200 ? ledger.retitled(id, i + 1) : ledger.refused(patched->status);
        const auto joined = client.send("PATCH", "/Groups/" + group, join_body(id));
        if (!joined) return;
        joined->status == 204 ? ledger.joined(id) : ledger.refused(joined->status);
    }
}

}  // namespace muster::testing

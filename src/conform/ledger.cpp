#include "conform/ledger.hpp"

#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "conform/reader.hpp"

namespace muster::conform {
namespace {

bool is_gone(int status) { return status / 100 == 2 || status == 404 || status == 410; }

}  // namespace

std::string Ledger::path_of_location(std::string_view location) const {
    // Behind a proxy the path may be another one; an endpoint and an id are always its end.
    const std::size_t id = location.rfind('/');
    if (id == std::string_view::npos || id == 0) return {};
    const std::size_t endpoint = location.rfind('/', id - 1);
    if (endpoint == std::string_view::npos) return {};
    return base_path_ + std::string{location.substr(endpoint)};
}

void Ledger::note(const net::ClientRequest& request, const net::ClientResponse& answer) {
    if (request.method != "POST" || answer.status / 100 != 2) return;
    const auto body = read_body(answer.body);
    if (!body || !body->is_object()) return;
    const json::Object& object = body->get_object();
    if (const json::Value* operations = object.if_contains("Operations");
        operations != nullptr && operations->is_array()) {
        for (const json::Value& operation : operations->get_array()) {
            if (!operation.is_object()) continue;
            const json::Object& done = operation.get_object();
            const auto method = json::string_or_empty(done, "method");
            if (equals_ignoring_case(method, "POST") && done.contains("location"))
                made_.push_back(path_of_location(json::string_or_empty(done, "location")));
        }
        return;
    }
    const std::string_view id = json::string_or_empty(object, "id");
    const std::string target = request.target.substr(0, request.target.find('?'));
    if (answer.status == 201 && !id.empty())
        made_.push_back(fmt::format("{}/{}", target, encode_target(id)));
}

std::vector<std::string> Ledger::delete_after(std::size_t kept, const Send& send,
                                              const Headers& headers) {
    std::vector<std::string> left;
    while (made_.size() > kept) {
        net::ClientRequest request;
        request.method = "DELETE";
        request.target = std::exchange(made_.back(), {});
        request.headers = headers;
        made_.pop_back();
        if (request.target.empty()) continue;
        const auto answer = send(request);
        if (!answer || !is_gone(answer->status)) left.push_back(request.target);
    }
    return left;
}

}  // namespace muster::conform

// A bulk request of any form is read or refused; resolving its references leaves none of them.

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "base/check.hpp"
#include "service/bulk_request.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace muster;
    const auto value = json::parse({reinterpret_cast<const char*>(data), size});
    if (!value) return 0;
    const auto request = service::parse_bulk(*value, 100);
    if (!request) {
        MUSTER_CHECK(request.error().status == 400 || request.error().status == 413);
        return 0;
    }
    MUSTER_CHECK(request->operations.size() <= 100);
    std::map<std::string, std::size_t> makers;
    for (std::size_t i = 0; i < request->operations.size(); ++i) {
        const auto& operation = request->operations[i];
        if (operation.malformed) continue;
        if (operation.method == service::BulkOperation::Method::Post) {
            makers.emplace(operation.bulk_id, i);
        }
    }
    std::set<std::size_t> placed;
    for (const auto& [index, missing] : service::order_of(request->operations)) {
        MUSTER_CHECK(!request->operations[index].malformed && placed.insert(index).second);
        for (const auto& reference : service::references_of(request->operations[index])) {
            const auto maker = makers.find(reference);
            if (maker == makers.end() || missing.contains(reference)) continue;
            MUSTER_CHECK(placed.contains(maker->second));
        }
    }
    for (service::BulkOperation operation : request->operations) {
        const auto references = service::references_of(operation);
        if (operation.data.is_object()) {
            auto rest = operation;
            auto part = operation;
            rest.path.clear();
            part.path.clear();
            part.data = service::take_out_references(rest.data.get_object(), references);
            MUSTER_CHECK(service::references_of(rest).empty());
            auto all = operation;
            all.path.clear();
            MUSTER_CHECK(service::references_of(part) == service::references_of(all));
        }

        std::map<std::string, std::string> ids;
        for (const auto& reference : references) ids.emplace(reference, "id");
        service::resolve_references(operation, ids);
        MUSTER_CHECK(service::references_of(operation).empty());
    }
    return 0;
}

// A bulk request of any form is read or refused; resolving its references leaves none of them.

#include <cstddef>
#include <cstdint>
#include <map>
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
    for (service::BulkOperation operation : request->operations) {
        const auto references = service::references_of(operation);
        auto rest = operation;
        service::take_out_references(rest.data, references);
        rest.path.clear();
        MUSTER_CHECK(service::references_of(rest).empty());

        std::map<std::string, std::string> ids;
        for (const auto& reference : references) ids.emplace(reference, "id");
        service::resolve_references(operation, ids);
        MUSTER_CHECK(service::references_of(operation).empty());
    }
    return 0;
}

#pragma once
// What holds for every answer under a SCIM URL, whatever was asked.

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "net/http_client.hpp"

namespace muster::conform {

struct AlwaysRule {
    std::string_view name;
    std::string_view section;
    std::string_view rule;
};

inline constexpr std::array kAlways{
    AlwaysRule{"media-type", "RFC 7644 §3.1", "A body is application/scim+json"},
    AlwaysRule{"json-object", "RFC 7644 §3.1", "A body is a JSON object"},
    AlwaysRule{"error-body", "RFC 7644 §3.12", "An error has a body"},
    AlwaysRule{"error-schema", "RFC 7644 §3.12", "An error has the Error schema"},
    AlwaysRule{"error-status", "RFC 7644 §3.12", "An error repeats its status as a string"},
    AlwaysRule{"www-authenticate", "RFC 9110 §15.5.2", "401 carries WWW-Authenticate"},
    AlwaysRule{"allow", "RFC 9110 §15.5.6", "405 carries Allow"},
    AlwaysRule{"no-body", "RFC 9110 §15.3.5", "204 and 304 have no body"},
    AlwaysRule{"total-results", "RFC 7644 §3.4.2", "A list holds the number totalResults"},
    AlwaysRule{"items-per-page", "RFC 7644 §3.4.2.4",
               "itemsPerPage is the number of resources returned"},
    AlwaysRule{"etag", "RFC 7644 §3.14", "ETag equals meta.version"},
    AlwaysRule{"location", "RFC 7644 §3.3", "Location equals meta.location"},
    AlwaysRule{"password", "RFC 7643 §4.1.1", "password is never returned"},
};

/// The breaches of an answer, each "name: what was seen", the name being that of a rule.
[[nodiscard]] std::vector<std::string> breaches_of(const net::ClientResponse& answer);

}  // namespace muster::conform

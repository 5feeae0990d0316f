#include "conform/reader.hpp"

#include <boost/json/parse.hpp>

namespace muster::conform {

std::expected<json::Value, std::string> read_body(std::string_view body) {
    boost::system::error_code error;
    json::Value value = boost::json::parse(body, error);
    if (error) return std::unexpected(error.message());
    return value;
}

}  // namespace muster::conform

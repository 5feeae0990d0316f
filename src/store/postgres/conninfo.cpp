#include "store/postgres/conninfo.hpp"

#include <algorithm>
#include <libpq-fe.h>
#include <memory>

#include <boost/asio/ip/address.hpp>

namespace muster::store::postgres {
namespace {

using Options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

Options parse(const std::string& url) {
    // The message would repeat the URL, and with it a password; what is wrong is said without.
    return {PQconninfoParse(url.c_str(), nullptr), &PQconninfoFree};
}

void append(std::string& conninfo, std::string_view keyword, std::string_view value) {
    conninfo.append(keyword).append("='");
    for (const char c : value) {
        if (c == '\'' || c == '\\') conninfo += '\\';
        conninfo += c;
    }
    conninfo += "' ";
}

/// The part of a comma-separated list that belongs to one host; a single one belongs to all.
std::string part_of(std::string_view list, std::size_t host) {
    if (list.find(',') == std::string_view::npos) return std::string(list);
    for (; host > 0 && !list.empty(); --host) {
        list.remove_prefix(std::min(list.find(','), list.size() - 1) + 1);
    }
    return std::string(list.substr(0, list.find(',')));
}

bool is_name(const std::string& host) {
    boost::system::error_code ec;
    boost::asio::ip::make_address(host, ec);
    return ec && !host.empty() && host.front() != '/' && host.front() != '@';
}

constexpr const char* kNoUrl =
    "the database URL is not one that PostgreSQL understands: "
    "postgres://USER@HOST:PORT/DATABASE?sslmode=verify-full";

std::unexpected<Error> refuse(const char* why) {
    return std::unexpected(Error{ErrorCode::Unavailable, why, {}, {}});
}

}  // namespace

Result<void> check_url(const std::string& url) {
    const Options options = parse(url);
    if (!options) return refuse(kNoUrl);
    for (const PQconninfoOption* one = options.get(); one->keyword != nullptr; ++one) {
        if (one->val == nullptr) continue;
        const std::string_view keyword = one->keyword;
        const std::string_view value = one->val;
        // A host that begins with an @ is a socket in the abstract namespace.
        if ((keyword == "host" && value.find('@', 1) != std::string_view::npos) ||
            (keyword == "port" && value.find_first_not_of("0123456789,") != value.npos)) {
            return refuse(
                "the database URL holds a character that means something else there: in a user or "
                "a password write @ as %40, : as %3A, / as %2F and % as %25");
        }
    }
    return {};
}

std::vector<Host> hosts_of(const std::string& conninfo) {
    const Options options = parse(conninfo);
    const auto is_list = [](std::string_view keyword) {
        return keyword == "host" || keyword == "hostaddr" || keyword == "port";
    };
    std::size_t count = 1;
    for (const PQconninfoOption* one = options.get(); one != nullptr && one->keyword; ++one) {
        if (one->val == nullptr || !is_list(one->keyword)) continue;
        const std::string_view list = one->val;
        count = std::max(count, 1 + static_cast<std::size_t>(std::ranges::count(list, ',')));
    }
    std::vector<Host> hosts(count);
    for (std::size_t host = 0; host < count; ++host) {
        bool has_address = false;
        for (const PQconninfoOption* one = options.get(); one != nullptr && one->keyword; ++one) {
            if (one->val == nullptr) continue;
            const std::string_view keyword = one->keyword;
            const std::string value = is_list(keyword) ? part_of(one->val, host) : one->val;
            append(hosts[host].conninfo, keyword, value);
            if (keyword == "host" && is_name(value)) hosts[host].name = value;
            has_address = has_address || (keyword == "hostaddr" && !value.empty());
        }
        if (has_address) hosts[host].name.clear();
    }
    return hosts;
}

Result<std::string> with_settings(
    const std::string& url,
    const std::vector<std::pair<std::string_view, std::string_view>>& settings) {
    const Options options = parse(url);
    if (!options) return refuse(kNoUrl);
    std::string conninfo;
    std::vector<std::string_view> named;
    for (const PQconninfoOption* one = options.get(); one->keyword != nullptr; ++one) {
        if (one->val == nullptr) continue;
        std::string value = one->val;
        named.emplace_back(one->keyword);
        if (named.back() == "options") {
            for (const auto& [keyword, ours] : settings) {
                if (keyword == "options") value.insert(0, " ").insert(0, ours);
            }
        }
        append(conninfo, one->keyword, value);
    }
    for (const auto& [keyword, value] : settings) {
        if (std::ranges::find(named, keyword) == named.end()) append(conninfo, keyword, value);
    }
    return conninfo;
}

std::string describe(const std::string& url) {
    const Options options = parse(url);
    std::string hosts = "localhost";
    std::string ports;
    std::string database;
    for (const PQconninfoOption* one = options.get(); one != nullptr && one->keyword != nullptr;
         ++one) {
        if (one->val == nullptr) continue;
        const std::string_view keyword = one->keyword;
        if (keyword == "host") hosts = one->val;
        if (keyword == "port") ports = one->val;
        if (keyword == "dbname") database = std::string("/") + one->val;
    }
    std::string text = "postgres://";
    const auto count = 1 + static_cast<std::size_t>(std::ranges::count(hosts, ','));
    for (std::size_t host = 0; host < count; ++host) {
        const std::string port = part_of(ports, host);
        text.append(host == 0 ? "" : ",").append(part_of(hosts, host));
        if (!port.empty()) text.append(":").append(port);
    }
    return text + database;
}

}  // namespace muster::store::postgres

#include "http/response_head.hpp"

#include <algorithm>
#include <array>
#include <chrono>

#include <boost/beast/http/status.hpp>
#include <fmt/format.h>

#include "base/clock.hpp"

namespace muster::http {
namespace {

bool is_header_value(std::string_view value) {
    return std::ranges::none_of(value, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7F;
    });
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\r\n");
}

/// IMF-fixdate (RFC 9110 §5.6.7): Sun, 06 Nov 1994 08:49:37 GMT
std::string imf_fixdate(std::int64_t second) {
    constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed",
                                                       "Thu", "Fri", "Sat"};
    constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const std::chrono::sys_seconds time{std::chrono::seconds{second}};
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{time - day};
    return fmt::format(
        "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[std::chrono::weekday{day}.c_encoding()],
        static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
        static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
        clock.seconds().count());
}

}  // namespace

bool may_have_body(int status) { return status >= 200 && status != 204 && status != 304; }

bool write_head(std::string& out, const Response& response, std::string_view date, Ending ending) {
    const auto status = static_cast<boost::beast::http::status>(response.status);
    const std::string_view reason = boost::beast::http::obsolete_reason(status);
    const fmt::format_int code(response.status);
    out.assign("HTTP/1.1 ").append(code.data(), code.size()).append(" ").append(reason);
    out.append("\r\n");
    append_header(out, "Date", date);
    if (!response.content_type.empty()) append_header(out, "Content-Type", response.content_type);
    if (may_have_body(response.status) && response.rest) {
        if (ending != Ending::EndsBody) append_header(out, "Transfer-Encoding", "chunked");
    } else if (may_have_body(response.status)) {
        const fmt::format_int size(response.body.size());
        append_header(out, "Content-Length", {size.data(), size.size()});
    }
    if (ending != Ending::KeepAlive) {
        append_header(out, "Connection", closes(ending) ? "close" : "keep-alive");
    }
    for (const auto& [name, value] : response.headers) {
        if (!is_header_value(value)) return false;
        append_header(out, name, value);
    }
    out.append("\r\n");
    return true;
}

std::string_view DateCache::now() {
    const std::int64_t second = SystemClock{}.now().ms / 1000;
    if (second != second_) {
        second_ = second;
        text_ = imf_fixdate(second);
    }
    return text_;
}

}  // namespace muster::http

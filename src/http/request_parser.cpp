#include "http/request_parser.hpp"

#include <algorithm>
#include <utility>

#include <boost/beast/http/error.hpp>

#include "base/text.hpp"

namespace muster::http {
namespace beast = boost::beast::http;
namespace {

constexpr unsigned kMaxFields = 100;
constexpr std::string_view kEmptyLine = "\r\n";
constexpr std::size_t kMaxEmptyLines = 4;

constexpr std::array<std::pair<beast::verb, Method>, 7> kVerbs = {{
    {beast::verb::get, Method::Get},
    {beast::verb::head, Method::Head},
    {beast::verb::post, Method::Post},
    {beast::verb::put, Method::Put},
    {beast::verb::patch, Method::Patch},
    {beast::verb::delete_, Method::Delete},
    {beast::verb::options, Method::Options},
}};

constexpr std::array<std::pair<beast::error, std::string_view>, 13> kReasons = {{
    {beast::error::bad_method, "the method is not a token"},
    {beast::error::bad_target, "the request target holds characters that it must not hold"},
    {beast::error::bad_version, "the request line does not end in HTTP/1.1 or HTTP/1.0 and CRLF"},
    {beast::error::bad_line_ending, "a header line does not end in CRLF"},
    {beast::error::bad_field, "a header name holds characters that it must not hold"},
    {beast::error::bad_value, "a header value holds characters that it must not hold"},
    {beast::error::bad_content_length,
     "Content-Length is not one decimal number, or stands beside "
     "Transfer-Encoding"},
    {beast::error::multiple_content_length, "there are several Content-Length headers"},
    {beast::error::bad_transfer_encoding,
     "Transfer-Encoding is repeated or stands beside "
     "Content-Length"},
    {beast::error::bad_chunk, "the chunked body is malformed"},
    {beast::error::bad_chunk_extension, "a chunk extension is malformed"},
    {beast::error::header_limit, "the header is too large"},
    {beast::error::body_limit, "the body is too large"},
}};

std::string_view reason_of(const boost::beast::error_code& ec) {
    const auto known =
        std::ranges::find_if(kReasons, [&](const auto& entry) { return ec == entry.first; });
    return known == kReasons.end() ? "the request is malformed" : known->second;
}

bool is_digits(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// uri-host [":" port] by its characters (RFC 3986 §3.2.2); user info is no part of it.
bool is_authority(std::string_view text) {
    constexpr std::string_view kPunctuation = "-._~%!$&'()*+,;=:[]";
    return !text.empty() && std::ranges::all_of(text, [&](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               kPunctuation.find(c) != std::string_view::npos;
    });
}

bool holds_control_character(std::string_view text) {
    return std::ranges::any_of(text, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return (byte < 0x20 && c != '\t') || byte == 0x7F;
    });
}

}  // namespace

struct RequestParser::KnownField {
    Name name;
    std::string_view RequestHead::* member;
    std::string_view repeated;  ///< why a second one is refused; empty: the first one counts
};

const std::array<RequestParser::KnownField, RequestParser::kKnownFields> RequestParser::kFields = {{
    {Name::host, &RequestHead::host, "there are several Host headers"},
    {Name::authorization, &RequestHead::authorization, "there are several Authorization headers"},
    {Name::content_type, &RequestHead::content_type, "there are several Content-Type headers"},
    {Name::content_encoding, &RequestHead::content_encoding,
     "there are several Content-Encoding headers"},
    {Name::accept, &RequestHead::accept, {}},
    {Name::user_agent, &RequestHead::user_agent, {}},
    {Name::if_match, &RequestHead::if_match, "there are several If-Match headers"},
    {Name::if_none_match, &RequestHead::if_none_match, "there are several If-None-Match headers"},
    {Name::transfer_encoding, nullptr, "there are several Transfer-Encoding headers"},
}};

RequestParser::RequestParser(std::size_t max_header_bytes) {
    header_limit(static_cast<std::uint32_t>(max_header_bytes));
    // Content-Length is judged after admission, which knows the limit.
    body_limit(boost::none);
}

ParseStatus RequestParser::parse_head(std::string_view bytes) {
    // RFC 9112 §2.2: empty lines before the request line are ignored.
    while (!begun_ && parsed_ < kMaxEmptyLines * kEmptyLine.size()) {
        const std::string_view line = bytes.substr(parsed_, kEmptyLine.size());
        if (!kEmptyLine.starts_with(line)) break;
        if (line.size() < kEmptyLine.size()) return ParseStatus::NeedMore;
        parsed_ += line.size();
    }
    if (bytes.size() == parsed_) return ParseStatus::NeedMore;

    begun_ = true;
    bytes_ = bytes;
    Error ec;
    const boost::asio::const_buffer rest(bytes.data() + parsed_, bytes.size() - parsed_);
    parsed_ += put(rest, ec);
    bytes_ = {};
    if (ec == beast::error::need_more) return ParseStatus::NeedMore;
    if (!ec) return ParseStatus::Done;
    if (failure_.reason.empty()) {
        failure_ = {.status = ec == beast::error::header_limit ? 431 : 400,
                    .reason = reason_of(ec)};
    }
    return ParseStatus::Failed;
}

ParseStatus RequestParser::parse_chunks(std::string_view& bytes, std::size_t limit,
                                        std::string& body) {
    if (!eager()) {
        eager(true);
        body_limit(limit);
    }
    // No chunked body ends in less than its last chunk, and Beast asserts that a last chunk which
    // is continued is whole.
    constexpr std::size_t kLastChunk = std::string_view("0\r\n\r\n").size();
    body_ = &body;
    Error ec;
    while (!ec && !is_done() && bytes.size() >= kLastChunk) {
        bytes.remove_prefix(put(boost::asio::const_buffer(bytes.data(), bytes.size()), ec));
    }
    body_ = nullptr;
    if (ec && ec != beast::error::need_more) {
        body_too_large_ = ec == beast::error::body_limit;
        if (failure_.reason.empty()) failure_ = {.status = 400, .reason = reason_of(ec)};
        return ParseStatus::Failed;
    }
    return is_done() ? ParseStatus::Done : ParseStatus::NeedMore;
}

void RequestParser::fill(RequestHead& head, std::string_view bytes) const {
    head.method = method_;
    head.method_text = text_of(method_text_, bytes);
    head.target = target_.size == 0 ? "/" : text_of(target_, bytes);
    head.path = path_.size == 0 ? "/" : text_of(path_, bytes);
    head.query = text_of(query_, bytes);
    for (std::size_t i = 0; i < kFields.size(); ++i) {
        if (kFields[i].member != nullptr) head.*kFields[i].member = text_of(known_[i], bytes);
    }
    // A condition that lists nothing is one that nothing meets, and not none at all.
    for (const auto member : {&RequestHead::if_match, &RequestHead::if_none_match}) {
        const auto field = std::ranges::find(kFields, member, &KnownField::member);
        const Span& span = known_[static_cast<std::size_t>(field - kFields.begin())];
        if (span.present && (head.*member).empty()) head.*member = ",";
    }
    // RFC 9112 §3.2.2: the authority of an absolute-form target overrules Host.
    if (authority_.present) head.host = text_of(authority_, bytes);
    head.has_body = has_chunked_body() || body_size() > 0;
}

void RequestParser::on_request_impl(beast::verb method, Text method_text, Text target, int version,
                                    Error& ec) {
    const auto known = std::ranges::find(kVerbs, method, &std::pair<beast::verb, Method>::first);
    method_ = known == kVerbs.end() ? Method::Other : known->second;
    method_text_ = span_of(method_text);
    target_ = span_of(target);
    version_ = version;
    if (const std::string_view wrong = split_target(); !wrong.empty()) refuse(400, wrong, ec);
}

void RequestParser::on_field_impl(Name name, Text name_text, Text value, Error& ec) {
    if (++fields_ > kMaxFields) return refuse(431, "there are more than 100 headers", ec);
    // Only trailers come here once the head is complete; nothing uses them (RFC 9110 §6.5.1).
    if (bytes_.empty()) return;

    // Beast joins folded lines (RFC 9112 §5.2) in a buffer of its own, or skips the first of them.
    const std::less<const char*> before;
    const char* const after_name = name_text.data() + name_text.size() + 1;
    const bool elsewhere =
        before(value.data(), after_name) || before(bytes_.data() + bytes_.size(), value.data());
    if (elsewhere || std::find(after_name, value.data(), '\r') != value.data()) {
        return refuse(400, "a header is folded over several lines", ec);
    }
    if (const std::string_view wrong = check_field(name, value); !wrong.empty()) {
        return refuse(400, wrong, ec);
    }
    const auto known = std::ranges::find(kFields, name, &KnownField::name);
    if (known == kFields.end()) return;
    Span& span = known_[static_cast<std::size_t>(known - kFields.begin())];
    if (span.present) {
        if (!known->repeated.empty()) refuse(400, known->repeated, ec);
        return;
    }
    span = span_of(value);
}

std::string_view RequestParser::check_field(Name name, std::string_view value) {
    switch (name) {
        case Name::content_length:
            // Beast takes "5, 5" and repeated equal numbers; a proxy in front may not.
            if (++content_lengths_ > 1) return "there are several Content-Length headers";
            return is_digits(value) ? "" : "Content-Length is not one decimal number";
        case Name::transfer_encoding:
            // Beast takes any other coding for "no body".
            if (version_ == 10) return "Transfer-Encoding is not part of HTTP/1.0";
            return equals_ignoring_case(value, "chunked") ? ""
                                                          : "the only Transfer-Encoding is chunked";
        case Name::host:
            return is_authority(value) ? "" : "Host is not a host with an optional port";
        case Name::expect:
            expects_continue_ |= version_ == 11 && equals_ignoring_case(value, "100-continue");
            return {};
        default:
            return {};
    }
}

void RequestParser::on_header_impl(Error& ec) {
    if (version_ == 11 && !known_[0].present) refuse(400, "there is no Host header", ec);
}

void RequestParser::on_chunk_header_impl(std::uint64_t, Text extensions, Error& ec) {
    // A quoted extension could hide a line feed, which some readers take for the chunk's end.
    if (holds_control_character(extensions)) ec = beast::error::bad_chunk_extension;
}

std::size_t RequestParser::on_chunk_body_impl(std::uint64_t, Text data, Error&) {
    body_->append(data.data(), data.size());
    return data.size();
}

/// Finds path and query of the target (RFC 9112 §3.2). What is wrong with it, or nothing.
std::string_view RequestParser::split_target() {
    std::string_view target = text_of(target_, bytes_);
    if (target.find('#') != std::string_view::npos) return "the request target holds a fragment";
    if (target == "*") {
        path_ = target_;
        return method_ == Method::Options ? "" : "only OPTIONS may have the target *";
    }
    if (!target.starts_with('/')) return split_absolute_target(target);
    const std::string_view path = target.substr(0, target.find('?'));
    path_ = span_of(path);
    if (path.size() < target.size()) query_ = span_of(target.substr(path.size() + 1));
    return {};
}

std::string_view RequestParser::split_absolute_target(std::string_view target) {
    const std::size_t colon = std::min(target.find(':'), target.size());
    const std::string_view scheme = target.substr(0, colon);
    if ((!equals_ignoring_case(scheme, "http") && !equals_ignoring_case(scheme, "https")) ||
        !target.substr(colon).starts_with("://")) {
        return "the request target is neither a path nor an http URL";
    }
    const std::string_view rest = target.substr(colon + 3);
    const std::string_view authority = rest.substr(0, rest.find_first_of("/?"));
    if (!is_authority(authority)) return "the request target has no valid host";
    authority_ = span_of(authority);

    const std::string_view tail = rest.substr(authority.size());
    const std::string_view path = tail.substr(0, tail.find('?'));
    target_ = span_of(tail);
    path_ = span_of(path);
    if (path.size() < tail.size()) query_ = span_of(tail.substr(path.size() + 1));
    return {};
}

RequestParser::Span RequestParser::span_of(std::string_view text) const {
    return {.offset = static_cast<std::uint32_t>(text.data() - bytes_.data()),
            .size = static_cast<std::uint32_t>(text.size()),
            .present = true};
}

std::string_view RequestParser::text_of(const Span& span, std::string_view bytes) const {
    return bytes.substr(span.offset, span.size);
}

void RequestParser::refuse(int status, std::string_view reason, Error& ec) {
    failure_ = {.status = status, .reason = reason};
    ec = beast::error::bad_value;
}

}  // namespace muster::http

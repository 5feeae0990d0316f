#pragma once
// Reads one request's head, and its body where that is chunked (RFC 9112), stricter than the RFC
// wherever two readers of the same bytes could disagree about where a request ends.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <boost/beast/http/basic_parser.hpp>

#include "http/message.hpp"

namespace muster::http {

enum class ParseStatus : std::uint8_t { NeedMore, Done, Failed };

/// Why the bytes are no request.
struct ParseFailure {
    int status = 400;  ///< 400 or 431
    std::string_view reason;
};

/// For one request; make a new one for the next. It keeps positions, not copies: what fill() hands
/// out points into the bytes that were parsed.
class RequestParser final : private boost::beast::http::basic_parser<true> {
  public:
    explicit RequestParser(std::size_t max_header_bytes);

    /// `bytes`: everything received from the first byte of the request on. After NeedMore call
    /// again with the same bytes (they may have moved) and more behind them. O(new bytes).
    [[nodiscard]] ParseStatus parse_head(std::string_view bytes);

    /// Parses a chunked body, appends its data to `body` and drops what it used from `bytes`.
    /// Failed with body_too_large() where there is more data than `limit`.
    [[nodiscard]] ParseStatus parse_chunks(std::string_view& bytes, std::size_t limit,
                                           std::string& body);

    // After parse_head() has returned Done:
    [[nodiscard]] std::size_t head_size() const { return parsed_; }
    [[nodiscard]] bool keeps_alive() const { return keep_alive(); }
    [[nodiscard]] bool is_http_1_0() const { return version_ == 10; }
    [[nodiscard]] bool has_chunked_body() const { return chunked(); }
    [[nodiscard]] std::uint64_t body_size() const { return content_length().value_or(0); }
    [[nodiscard]] bool expects_continue() const { return expects_continue_; }
    /// Sets every text and flag of `head` but the peer and the time.
    void fill(RequestHead& head, std::string_view bytes) const;

    // After Failed:
    [[nodiscard]] const ParseFailure& failure() const { return failure_; }
    [[nodiscard]] bool body_too_large() const { return body_too_large_; }

  private:
    using Error = boost::beast::error_code;
    using Text = boost::beast::string_view;
    using Name = boost::beast::http::field;
    struct Span {
        std::uint32_t offset = 0;
        std::uint32_t size = 0;
        bool present = false;
    };
    struct KnownField;
    static constexpr std::size_t kKnownFields = 9;
    static const std::array<KnownField, kKnownFields> kFields;

    void on_request_impl(boost::beast::http::verb method, Text method_text, Text target,
                         int version, Error& ec) override;
    void on_response_impl(int, Text, int, Error&) override {}
    void on_field_impl(Name name, Text name_text, Text value, Error& ec) override;
    void on_header_impl(Error& ec) override;
    void on_body_init_impl(const boost::optional<std::uint64_t>&, Error&) override {}
    std::size_t on_body_impl(Text, Error&) override { return 0; }
    void on_chunk_header_impl(std::uint64_t, Text extensions, Error& ec) override;
    std::size_t on_chunk_body_impl(std::uint64_t, Text data, Error& ec) override;
    void on_finish_impl(Error&) override {}

    [[nodiscard]] std::string_view check_field(Name name, std::string_view value);
    [[nodiscard]] std::string_view split_target();
    [[nodiscard]] std::string_view split_absolute_target(std::string_view target);
    [[nodiscard]] Span span_of(std::string_view text) const;
    [[nodiscard]] std::string_view text_of(const Span& span, std::string_view bytes) const;
    void refuse(int status, std::string_view reason, Error& ec);

    std::string_view bytes_;  ///< only while parse_head() runs
    std::size_t parsed_ = 0;
    bool begun_ = false;           ///< the empty lines that may stand before it are over
    std::string* body_ = nullptr;  ///< only while parse_chunks() runs

    Method method_ = Method::Other;
    int version_ = 11;
    unsigned fields_ = 0;
    unsigned content_lengths_ = 0;
    bool expects_continue_ = false;
    bool body_too_large_ = false;
    Span method_text_;
    Span target_;
    Span path_;
    Span query_;
    Span authority_;  ///< of an absolute-form target; stands for Host then
    std::array<Span, kKnownFields> known_;
    ParseFailure failure_;
};

}  // namespace muster::http

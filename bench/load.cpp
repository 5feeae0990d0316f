#include "load.hpp"

#include <algorithm>
#include <charconv>
#include <memory>
#include <string_view>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "base/text.hpp"

namespace muster::bench {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Clock = std::chrono::steady_clock;

struct Run {
    const Load& load;
    const NextShot& next;
    Measured measured;
    std::vector<std::chrono::nanoseconds> times;
    std::uint64_t started = 0;
    Clock::time_point until;
};

struct Answer {
    unsigned status = 0;
    std::size_t body_at = 0;
    std::size_t size = 0;  ///< head and body; 0 while it is not known
    bool chunked = false;
};

std::string_view header_in(std::string_view head, std::string_view name) {
    for (auto at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at)) {
        at += 2;
        const auto line = head.substr(at, head.find("\r\n", at) - at);
        if (line.size() <= name.size() || line[name.size()] != ':' ||
            !equals_ignoring_case(line.substr(0, name.size()), name))
            continue;
        const auto value = line.find_first_not_of(' ', name.size() + 1);
        return value == std::string_view::npos ? std::string_view{} : line.substr(value);
    }
    return {};
}

std::size_t number_in(std::string_view text, int base) {
    std::size_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number, base);
    return number;
}

/// RFC 9112 §7.1, without trailers. Calls `take` with each chunk; the position behind the last one,
/// 0 where it has not come yet.
template <typename Take>
std::size_t for_each_chunk(std::string_view text, std::size_t at, const Take& take) {
    while (true) {
        const auto end = text.find("\r\n", at);
        if (end == std::string_view::npos) return 0;
        const auto length = number_in(text.substr(at, end - at), 16);
        at = end + 2 + length + 2;
        if (at > text.size()) return 0;
        if (length == 0) return at;
        take(text.substr(end + 2, length));
    }
}

/// Of the answer at the front of `text`.
Answer parse(std::string_view text) {
    const auto end = text.find("\r\n\r\n");
    if (end == std::string_view::npos) return {};
    const auto head = text.substr(0, end);
    Answer answer{.status = static_cast<unsigned>(number_in(text.substr(9, 3), 10)),
                  .body_at = end + 4,
                  .chunked = equals_ignoring_case(header_in(head, "Transfer-Encoding"), "chunked")};
    answer.size = answer.chunked
                      ? for_each_chunk(text, answer.body_at, [](std::string_view) {})
                      : answer.body_at + number_in(header_in(head, "Content-Length"), 10);
    return answer;
}

std::string body_of(const Answer& answer, std::string_view text) {
    if (!answer.chunked) return std::string{text.substr(answer.body_at)};
    std::string body;
    for_each_chunk(text, answer.body_at, [&](std::string_view chunk) { body += chunk; });
    return body;
}

bool is_success(const Answer& answer, std::string_view text, const Shot& shot) {
    const bool status = shot.status == 0 ? answer.status / 100 == 2 : answer.status == shot.status;
    return status && text.contains(shot.contains);
}

asio::awaitable<void> shoot(tcp::socket socket, std::size_t index, Run& run) {
    constexpr auto kToken = asio::as_tuple(asio::use_awaitable);
    std::string input(std::size_t{256} << 10, '\0');
    while (Clock::now() < run.until && run.started < run.load.most_requests) {
        ++run.started;
        const auto shot = run.next(index);
        const auto began = Clock::now();
        auto [error, written] =
            co_await asio::async_write(socket, asio::buffer(shot.bytes), kToken);
        std::size_t got = 0;
        Answer answer;
        while (!error && (answer.size == 0 || got < answer.size)) {
            if (got == input.size()) input.resize(2 * input.size());
            const auto room = asio::buffer(&input[got], input.size() - got);
            const auto [read_error, size] = co_await socket.async_read_some(room, kToken);
            error = read_error;
            got += size;
            if (answer.size == 0) answer = parse({input.data(), got});
        }
        const auto elapsed = Clock::now() - began;
        ++run.measured.requests;
        run.times.push_back(elapsed);
        const std::string_view text{input.data(), error ? got : answer.size};
        if (error || !is_success(answer, text, shot)) {
            ++run.measured.failures;
            if (run.measured.first_failure.empty()) {
                run.measured.first_failure = error ? error.message() : text.substr(0, 600);
            }
            if (error) co_return;
        } else if (run.load.keep_bodies) {
            run.measured.bodies.push_back(body_of(answer, text));
        }
    }
}

}  // namespace

Measured fire(const Load& load, const NextShot& next) {
    asio::io_context context(1);
    Run run{.load = load, .next = next, .measured = {}, .times = {}, .until = {}};
    const auto colon = load.address.find(':');
    const auto port = static_cast<std::uint16_t>(std::stoi(load.address.substr(colon + 1)));
    for (std::size_t i = 0; i < load.connections; ++i) {
        tcp::socket socket(context);
        socket.connect({asio::ip::address_v4::loopback(), port});
        socket.set_option(tcp::no_delay(true));
        asio::co_spawn(context, shoot(std::move(socket), i, run), asio::detached);
    }
    const auto began = Clock::now();
    run.until = began + load.time;
    context.run();
    run.measured.seconds = std::chrono::duration<double>(Clock::now() - began).count();
    std::ranges::sort(run.times);
    if (!run.times.empty()) {
        run.measured.p50 = run.times[run.times.size() / 2];
        run.measured.p99 = run.times[run.times.size() * 99 / 100];
    }
    run.measured.times = std::move(run.times);
    return run.measured;
}

}  // namespace muster::bench

#include "load.hpp"

#include <algorithm>
#include <charconv>
#include <memory>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

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
    std::size_t size = 0;  ///< head and body
};

/// Length of the answer at the front of `text`; size 0 while its head is not complete.
Answer parse(std::string_view text) {
    const auto end = text.find("\r\n\r\n");
    if (end == std::string_view::npos) return {};
    Answer answer{.body_at = end + 4, .size = end + 4};
    std::from_chars(text.data() + 9, text.data() + 12, answer.status);
    const auto head = text.substr(0, end);
    auto at = head.find("Content-Length: ");
    if (at != std::string_view::npos) {
        at += 16;
        std::size_t length = 0;
        std::from_chars(head.data() + at, head.data() + head.size(), length);
        answer.size += length;
    }
    return answer;
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
        if (error || answer.status != shot.status) {
            ++run.measured.failures;
            if (run.measured.first_failure.empty()) {
                run.measured.first_failure =
                    error ? error.message() : input.substr(0, std::min<std::size_t>(got, 600));
            }
            if (error) co_return;
        } else if (run.load.keep_bodies) {
            run.measured.bodies.push_back(
                input.substr(answer.body_at, answer.size - answer.body_at));
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
    return run.measured;
}

}  // namespace muster::bench

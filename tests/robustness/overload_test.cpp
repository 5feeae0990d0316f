// One organisation that asks for more than the server can do must not be felt by its neighbours.

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/task.hpp"
#include "net/http_client.hpp"
#include "support/server_process.hpp"
#include "support/tenant.hpp"

namespace muster {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using Clients = asio::io_context;

struct Tally {
    std::vector<microseconds> times;
    int served = 0;
    int refused = 0;
    int others = 0;
};

/// Asks again and again over one connection until `end`; counts from `begin` on.
struct Plan {
    std::string address;  ///< HOST:PORT
    std::string target;
    std::string token;
    milliseconds pause{0};
    steady_clock::time_point begin;
    steady_clock::time_point end;
};

Task<void> ask(Plan plan, Tally& tally) {
    const auto executor = co_await asio::this_coro::executor;
    const std::size_t colon = plan.address.find(':');
    const asio::ip::tcp::endpoint server(
        asio::ip::make_address(plan.address.substr(0, colon)),
        static_cast<std::uint16_t>(std::stoi(plan.address.substr(colon + 1))));
    asio::ip::tcp::socket socket(executor);
    co_await socket.async_connect(server, asio::use_awaitable);
    asio::steady_timer timer(executor);
    boost::beast::flat_buffer buffer;
    while (steady_clock::now() < plan.end) {
        http::request<http::empty_body> request(http::verb::get, plan.target, 11);
        request.set(http::field::host, plan.address);
        request.set(http::field::authorization, "Bearer " + plan.token);
        const auto asked = steady_clock::now();
        co_await http::async_write(socket, request, asio::use_awaitable);
        http::response<http::string_body> response;
        co_await http::async_read(socket, buffer, response, asio::use_awaitable);
        const auto answered = steady_clock::now();
        if (asked >= plan.begin) {
            tally.times.push_back(std::chrono::duration_cast<microseconds>(answered - asked));
            ++(response.result_int() == 200   ? tally.served
               : response.result_int() == 429 ? tally.refused
                                              : tally.others);
        }
        if (plan.pause.count() > 0) {
            timer.expires_after(plan.pause);
            co_await timer.async_wait(asio::use_awaitable);
        }
    }
}

microseconds p99(std::vector<microseconds> times) {
    if (times.empty()) return microseconds::max();
    std::ranges::sort(times);
    return times[times.size() * 99 / 100];
}

class OverloadTest : public ::testing::Test {
  protected:
    OverloadTest()
        : data_(testing::make_temporary_directory()),
          loud_(testing::make_tenant(data_, "loud")),
          quiet_(testing::make_tenant(data_, "quiet")),
          // One thread: the clients need a processor of their own, or they measure each other.
          server_({MUSTER_PROGRAM, "serve", "--data", data_.string(), "--listen", "127.0.0.1:0",
                   "--json", "--config", one_thread()}) {
        net::HttpClient client(net::Url::parse("http://" + server_.address()).value());
        for (int i = 0; i < 300; ++i) {
            const auto made =
                client.send({.method = "POST",
                             .target = loud_.target("/Users"),
                             .headers = {{"Authorization", "Bearer " + loud_.token},
                                         {"Content-Type", "application/scim+json"}},
                             .body = fmt::format(
                                 R"({{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],)"
                                 R"("userName":"user{}"}})",
                                 i)});
            if (!made || made->status != 201) throw std::runtime_error("setting up");
        }
    }
    ~OverloadTest() override {
        server_.kill();
        std::filesystem::remove_all(data_);
    }

    std::string one_thread() {
        const std::filesystem::path file = data_ / "one-thread.toml";
        std::ofstream(file) << "threads = 1\n";
        return file.string();
    }

    struct Outcome {
        Tally quiet;
        Tally loud;
    };
    /// `crowd` connections list pages as fast as they can, while four ask for little as `who`.
    Outcome play(const testing::Tenant& who, int crowd, milliseconds settle,
                 milliseconds measured) {
        const auto now = steady_clock::now();
        const auto begin = now + settle;
        const auto end = begin + measured;
        Outcome outcome;
        std::thread loud([&, this] {
            Clients clients(1);
            for (int i = 0; i < crowd; ++i) {
                asio::co_spawn(clients,
                               ask({server_.address(), loud_.target("/Users?count=100"),
                                    loud_.token, milliseconds(0), begin, end},
                                   outcome.loud),
                               asio::detached);
            }
            clients.run();
        });
        Clients clients(1);
        for (int i = 0; i < 4; ++i) {
            asio::co_spawn(clients,
                           ask({server_.address(), who.target("/Users?count=1"), who.token,
                                milliseconds(10), begin, end},
                               outcome.quiet),
                           asio::detached);
        }
        clients.run();
        loud.join();
        return outcome;
    }

    std::filesystem::path data_;
    testing::Tenant loud_;
    testing::Tenant quiet_;
    testing::ServerProcess server_;
};

TEST_F(OverloadTest, ACrowdOfOneOrganisationIsHardlyFeltByAnother) {
    const Outcome alone = play(quiet_, 0, milliseconds(200), milliseconds(1500));
    const Outcome amid = play(quiet_, 300, milliseconds(2000), milliseconds(4000));
    // The control: asked as one of the crowd's own organisation, the same takes its turn.
    const Outcome within = play(loud_, 300, milliseconds(2000), milliseconds(2000));
    const auto told = fmt::format(
        "p99 alone {} us, amid another's crowd {} us, within the crowd {} us; the crowd: {} "
        "served, "
        "{} refused",
        p99(alone.quiet.times).count(), p99(amid.quiet.times).count(),
        p99(within.quiet.times).count(), amid.loud.served, amid.loud.refused);
    fmt::print("{}\n", told);
    EXPECT_EQ(amid.quiet.refused + amid.quiet.others, 0) << told;
    EXPECT_GT(amid.loud.served, 1'000) << told;
    // Twice what is usual, on a quiet machine; this one may do other things besides.
    EXPECT_LT(p99(amid.quiet.times), 2 * p99(alone.quiet.times) + microseconds(milliseconds(10)))
        << told;
    EXPECT_GT(p99(within.quiet.times), 3 * p99(amid.quiet.times)) << told;
}

}  // namespace
}  // namespace muster

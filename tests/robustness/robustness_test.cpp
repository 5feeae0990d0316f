#include <arpa/inet.h>
#include <array>
#include <atomic>
#include <barrier>
#include <chrono>
#include <fstream>
#include <functional>
#include <map>
#include <netinet/in.h>
#include <numeric>
#include <poll.h>
#include <ranges>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/application.hpp"
#include "json/json.hpp"
#include "net/http_client.hpp"
#include "support/process.hpp"
#include "support/server_process.hpp"
#include "support/storm.hpp"
#include "support/tenant.hpp"

namespace muster {
namespace {

constexpr bool kSanitized = MUSTER_SANITIZED != 0;
// A request may cost this; sanitisers cost about five times as much.
constexpr std::chrono::milliseconds kMostTime{kSanitized ? 5000 : 1000};
constexpr long kMostGrowthKib = kSanitized ? 512 * 1024 : 64 * 1024;

std::string repeat(std::string_view text, std::size_t times) {
    std::string repeated;
    repeated.reserve(text.size() * times);
    for (std::size_t i = 0; i < times; ++i) repeated += text;
    return repeated;
}

std::string user(std::string_view members) {
    return fmt::format(
        R"({{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"u"{}}})",
        members);
}

class RobustnessTest : public ::testing::Test {
  protected:
    RobustnessTest()
        : data_(testing::make_temporary_directory()),
          tenant_(testing::make_tenant(data_)),
          server_(MUSTER_PROGRAM, data_),
          client_(net::Url::parse("http://" + server_.address()).value()) {}
    ~RobustnessTest() override {
        server_.kill();
        std::filesystem::remove_all(data_);
    }

    net::ClientResponse send(std::string method, std::string path, std::string body = {},
                             std::chrono::milliseconds most = kMostTime) {
        std::vector<std::pair<std::string, std::string>> headers{
            {"Authorization", "Bearer " + tenant_.token}};
        if (!body.empty()) headers.emplace_back("Content-Type", "application/scim+json");
        const auto began = std::chrono::steady_clock::now();
        auto answer = client_.send({.method = std::move(method),
                                    .target = tenant_.target(path),
                                    .headers = std::move(headers),
                                    .body = std::move(body)});
        EXPECT_LT(std::chrono::steady_clock::now() - began, most) << path.substr(0, 80);
        EXPECT_TRUE(answer) << (answer ? "" : answer.error());
        return answer.value_or(net::ClientResponse{});
    }

    /// A refusal in SCIM's form that does not repeat the input at length.
    void expect_refused(const net::ClientResponse& answer, int status, std::string_view scim_type) {
        EXPECT_EQ(answer.status, status) << answer.body.substr(0, 300);
        EXPECT_EQ(testing::text_member(answer.body, "scimType"), scim_type)
            << answer.body.substr(0, 300);
        EXPECT_FALSE(testing::text_member(answer.body, "detail").empty());
        EXPECT_EQ(testing::text_member(answer.body, "status"), std::to_string(status));
        EXPECT_LT(answer.body.size(), 1500U);
    }

    /// Somebody gets the name by POST, PUT or PATCH, over a connection of its own.
    int ask_for(int way, const std::string& id, const std::string& name) const {
        constexpr std::array<const char*, 3> kMethods = {"POST", "PUT", "PATCH"};
        const auto patch = testing::patch_body(
            fmt::format(R"({{"op":"replace","path":"userName","value":"{}"}})", name));
        return exchange(kMethods.at(static_cast<std::size_t>(way)),
                        way == 0 ? "/Users" : "/Users/" + id,
                        way == 2 ? patch : testing::user_body(name));
    }
    int patch_members(const std::string& group, std::string_view op, const std::string& id) const {
        const bool adds = op == "add";
        const auto what = adds ? fmt::format(R"("path":"members","value":[{{"value":"{}"}}])", id)
                               : fmt::format(R"("path":"members[value eq \"{}\"]")", id);
        return exchange("PATCH", "/Groups/" + group,
                        testing::patch_body(fmt::format(R"({{"op":"{}",{}}})", op, what)));
    }
    int exchange(std::string method, const std::string& path, std::string body) const {
        return exchange(server_.address(), std::move(method), path, std::move(body));
    }
    /// The status, or 0 where there was no answer.
    int exchange(const std::string& address, std::string method, const std::string& path,
                 std::string body) const {
        net::HttpClient client(net::Url::parse("http://" + address).value());
        const auto answer = client.send({.method = std::move(method),
                                         .target = tenant_.target(path),
                                         .headers = {{"Authorization", "Bearer " + tenant_.token},
                                                     {"Content-Type", "application/scim+json"}},
                                         .body = std::move(body)});
        return answer ? answer->status : 0;
    }
    int members_of(const std::string& group) {
        const auto answer = json::parse(send("GET", "/Groups/" + group).body);
        const auto* members =
            answer ? json::find_ignoring_case(answer->get_object(), "members") : nullptr;
        return members == nullptr ? -1 : static_cast<int>(members->get_array().size());
    }

    /// So many people, made in bulk; their ids.
    std::vector<std::string> make_people(const std::string& prefix, int count) {
        constexpr int kBulk = 500;
        std::vector<std::string> ids;
        for (int made = 0; made < count; made += kBulk) {
            std::string operations;
            for (int i = made; i < std::min(made + kBulk, count); ++i) {
                operations +=
                    fmt::format(R"({}{{"method":"POST","path":"/Users","bulkId":"{}","data":{}}})",
                                operations.empty() ? "" : ",", i,
                                testing::user_body(fmt::format("{}{}", prefix, i)));
            }
            const auto answer = send("POST", "/Bulk", bulk(operations));
            const auto parsed = json::parse(answer.body);
            if (!parsed) throw std::runtime_error("no JSON: " + answer.body.substr(0, 300));
            for (const auto& one : parsed->at("Operations").as_array()) {
                const std::string location(one.at("location").get_string());
                ids.push_back(location.substr(location.rfind('/') + 1));
            }
        }
        return ids;
    }
    static std::string bulk(std::string_view operations) {
        return fmt::format(
            R"({{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[{}]}})",
            operations);
    }

    void expect_serving() { EXPECT_EQ(send("GET", "/Users?count=1").status, 200); }

    [[nodiscard]] long resident_kib() const {
        std::ifstream status(fmt::format("/proc/{}/status", server_.pid()));
        for (std::string line; std::getline(status, line);) {
            if (line.starts_with("VmRSS:")) return std::stol(line.substr(6));
        }
        return -1;
    }

    /// Sends raw bytes and reads until the server closes or the time is over.
    /// `meanwhile` runs before the last five bytes are sent.
    std::string raw(const std::string& bytes, std::chrono::milliseconds patience,
                    const std::function<void()>& meanwhile = {}) {
        const auto colon = server_.address().find(':');
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port =
            htons(static_cast<std::uint16_t>(std::stoi(server_.address().substr(colon + 1))));
        inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
        const std::size_t held = meanwhile ? 5 : 0;
        std::size_t sent = 0;
        for (const std::size_t until : {bytes.size() - held, bytes.size()}) {
            while (sent < until) {
                const auto put = ::send(fd, bytes.data() + sent, until - sent, MSG_NOSIGNAL);
                if (put <= 0) break;
                sent += static_cast<std::size_t>(put);
            }
            if (meanwhile && until < bytes.size()) meanwhile();
        }
        std::string answer;
        std::array<char, 4096> buffer{};
        pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
        const auto until = std::chrono::steady_clock::now() + patience;
        while (std::chrono::steady_clock::now() < until && ::poll(&waiting, 1, 100) >= 0) {
            if (waiting.revents == 0) continue;
            const auto got = ::recv(fd, buffer.data(), buffer.size(), 0);
            if (got <= 0) break;
            answer.append(buffer.data(), static_cast<std::size_t>(got));
        }
        ::close(fd);
        return answer;
    }

    std::filesystem::path data_;
    testing::Tenant tenant_;
    testing::ServerProcess server_;
    net::HttpClient client_;
};

TEST_F(RobustnessTest, PX_01_DeepFiltersAreRefusedBeforeTheyCost) {
    const auto before = resident_kib();
    for (const auto& filter :
         {repeat("(", 52'000), repeat("not (", 10'000), repeat("emails[", 7'000),
          "userName eq \"a\"" + repeat(" and userName eq \"a\"", 2'000), repeat("a.", 20'000),
          repeat("(", 19) + "userName pr", std::string(52'000, '"')}) {
        const json::Value body = json::Object{{"filter", filter}};
        expect_refused(send("POST", "/Users/.search", json::to_text(body)), 400, "invalidFilter");
    }
    expect_refused(send("GET", "/Users?filter=" + repeat("(", 7'000)), 400, "invalidFilter");
    const auto too_long = send("GET", "/Users?filter=" + repeat("(", 52'000));
    EXPECT_EQ(too_long.status, 431);
    EXPECT_LT(resident_kib() - before, kMostGrowthKib);
    client_ = net::HttpClient(net::Url::parse("http://" + server_.address()).value());
    expect_serving();
}

TEST_F(RobustnessTest, PX_05_DeepAndHugeJsonIsRefused) {
    const auto before = resident_kib();
    expect_refused(send("POST", "/Users", repeat("[", 100'000)), 400, "invalidSyntax");
    expect_refused(send("POST", "/Users", repeat("{\"a\":", 100'000)), 400, "invalidSyntax");
    expect_refused(
        send("POST", "/Users", user(",\"x\":" + repeat("[", 100'000) + repeat("]", 100'000))), 400,
        "invalidSyntax");
    expect_refused(send("POST", "/Users", "[" + repeat("1,", 600'000) + "1]"), 413, "tooMany");
    expect_refused(send("POST", "/Users", user(",\"title\":\"" + std::string(1 << 20, 'x') + "\"")),
                   400, "invalidValue");
    EXPECT_LT(resident_kib() - before, kMostGrowthKib);
    expect_serving();
}

TEST_F(RobustnessTest, PX_05_JsonThatParsersReadDifferentlyIsRefused) {
    for (const auto& body :
         {user(R"(,"active":true,"active":false)"), user(R"(,"active":true,"Active":false)"),
          user(",\"title\":\"a\\u0000b\""), user(std::string_view{",\"title\":\"a\0b\"", 14}),
          user(",\"title\":\"\\ud800\""), user(",\"title\":\"\xff\xfe\""), user(",\"n\":1e999"),
          user(",\"n\":NaN"), std::string{"\xef\xbb\xbf"} + user(""), user("") + "x",
          std::string{"{"}, std::string{"\"text\""}, std::string{"null"}, std::string{"[]"}}) {
        expect_refused(send("POST", "/Users", body), 400, "invalidSyntax");
    }
    EXPECT_EQ(testing::text_member(send("GET", "/Users?count=0").body, "x"), "");
    expect_serving();
}

TEST_F(RobustnessTest, NulBytesAreRefusedWhereverTheyStand) {
    EXPECT_EQ(send("GET", "/Users/%00").status, 404);
    EXPECT_EQ(send("GET", "/Users?filter=userName%20eq%20%22a%00b%22").status, 400);
    const auto head = raw(std::string{"GET /c/x HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", 38},
                          std::chrono::seconds{2});
    EXPECT_TRUE(head.starts_with("HTTP/1.1 400")) << head;
    expect_serving();
}

TEST_F(RobustnessTest, IdentifiersWithControlOrDirectionCharactersAreRefused) {
    for (std::string_view name : {"a\\u202eb", "a\\nb", "a\\u0007"}) {
        const auto body = fmt::format(
            R"({{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"{}"}})",
            name);
        expect_refused(send("POST", "/Users", body), 400, "invalidValue");
    }
}

TEST_F(RobustnessTest, PX_03_TooManyOperationsOrMembersAreRefused) {
    const auto patch = [&](const std::string& operations) {
        return R"({"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[)" +
               operations + "]}";
    };
    const auto made =
        send("POST", "/Groups",
             R"({"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"g"})");
    ASSERT_EQ(made.status, 201);
    const auto path = "/Groups/" + testing::text_member(made.body, "id");
    const std::string operation = R"({"op":"add","path":"members","value":[]})";
    expect_refused(send("PATCH", path, patch(repeat(operation + ",", 1'000) + operation)), 400,
                   "tooMany");
    const std::string member = R"({"value":"x"})";
    expect_refused(send("PATCH", path,
                        patch(R"({"op":"add","path":"members","value":[)" +
                              repeat(member + ",", 100'000) + member + "]}")),
                   400, "tooMany");
    expect_serving();
}

TEST_F(RobustnessTest, PX_03_ALyingContentLengthHoldsNobodyUp) {
    const auto head = fmt::format(
        "POST {} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\nContent-Type: "
        "application/json\r\n",
        tenant_.target("/Users"), tenant_.token);
    // More promised than sent: the connection waits for the body's deadline, others are served.
    std::thread liar(
        [&] { raw(head + "Content-Length: 1000000\r\n\r\n{}", std::chrono::seconds{2}); });
    expect_serving();
    liar.join();
    for (std::string_view length : {"+5", "-1", "5, 6", "0x5", "18446744073709551617",
                                    "5\r\nContent-Length: 6", "5\r\nTransfer-Encoding: chunked"}) {
        const auto answer = raw(fmt::format("{}Content-Length: {}\r\n\r\nhello", head, length),
                                std::chrono::seconds{2});
        EXPECT_TRUE(answer.starts_with("HTTP/1.1 400")) << length << ": " << answer;
    }
    const auto large = raw(head + "Content-Length: 99999999\r\n\r\n", std::chrono::seconds{3});
    EXPECT_TRUE(large.starts_with("HTTP/1.1 413")) << large;
    expect_serving();
}

TEST_F(RobustnessTest, StrangersCostNoBody) {
    const auto answer = raw("POST " + tenant_.target("/Users") +
                                " HTTP/1.1\r\nHost: a\r\nContent-Length: 8000000\r\n\r\n",
                            std::chrono::seconds{3});
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 401")) << answer;
    EXPECT_NE(answer.find("WWW-Authenticate"), std::string::npos);
}

// A body may take its minute: who was let in at its beginning has to be let in at its end.
TEST_F(RobustnessTest, ARequestThatTakesItsTimeEndsWithItsToken) {
    const std::string_view token = tenant_.token;
    const std::string id(token.substr(4, token.rfind('_') - 4));
    const auto post = [&](const std::string& path, const std::string& body) {
        return fmt::format(
            "POST {} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\nContent-Type: "
            "application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{}",
            tenant_.target(path), token, body.size(), body);
    };
    const auto token_command = [&](const char* what) {
        // The head has arrived.
        std::this_thread::sleep_for(std::chrono::milliseconds{200});
        const auto ended =
            testing::run({MUSTER_PROGRAM, "token", what, id, "--data", data_.string()});
        EXPECT_EQ(ended.code, 0) << ended.output;
    };
    const auto patience = std::chrono::seconds{5};
    const auto deactivate = [&] { token_command("deactivate"); };
    const auto written = raw(post("/Users", user("late")), patience, deactivate);
    EXPECT_TRUE(written.starts_with("HTTP/1.1 401")) << written;
    token_command("activate");
    EXPECT_EQ(send("GET", "/Users?filter=userName%20eq%20%22late%22", "").body.find("late"),
              std::string::npos);
    const auto read =
        raw(post("/Users/.search", R"({"schemas":["urn:ietf:params:scim:api:messages:2.0:)"
                                   R"(SearchRequest"]})"),
            patience, deactivate);
    EXPECT_TRUE(read.starts_with("HTTP/1.1 401")) << read;
}

TEST_F(RobustnessTest, ManySlowClientsDoNotKeepOthersWaiting) {
    std::vector<int> slow;
    const auto colon = server_.address().find(':');
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port =
        htons(static_cast<std::uint16_t>(std::stoi(server_.address().substr(colon + 1))));
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    for (int i = 0; i < 400; ++i) {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ASSERT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
        EXPECT_EQ(::send(fd, "GET /c", 6, MSG_NOSIGNAL), 6);
        slow.push_back(fd);
    }
    const auto before = resident_kib();
    for (int i = 0; i < 20; ++i) expect_serving();
    EXPECT_LT(resident_kib() - before, kMostGrowthKib);
    for (int fd : slow) ::close(fd);
}

// A client that named no version cannot fail for want of one, however many write at once.
TEST_F(RobustnessTest, SM_11_ConcurrentChangesOfOneResourceAreAllDone) {
    const auto id = testing::text_member(send("POST", "/Users", user("")).body, "id");
    constexpr int kClients = 12;
    constexpr int kRounds = 10;
    std::vector<int> refused(kClients, 0);
    {
        std::vector<std::jthread> clients;
        for (int number = 0; number < kClients; ++number) {
            clients.emplace_back([&, number] {
                net::HttpClient client(net::Url::parse("http://" + server_.address()).value());
                for (int round = 0; round < kRounds; ++round) {
                    const bool puts = number % 3 == 0;
                    const auto title = fmt::format(R"("title":"{} {}")", number, round);
                    auto answer = client.send(
                        {.method = puts ? "PUT" : "PATCH",
                         .target = tenant_.target("/Users/" + id),
                         .headers = {{"Authorization", "Bearer " + tenant_.token},
                                     {"Content-Type", "application/scim+json"}},
                         .body = puts
                                     ? user("," + title)
                                     : fmt::format(R"({{"schemas":["urn:ietf:params:scim:api:)"
                                                   R"(messages:2.0:PatchOp"],"Operations":[{{"op":)"
                                                   R"("replace","value":{{{}}}}}]}})",
                                                   title)});
                    if (!answer || answer->status != 200)
                        ++refused[static_cast<std::size_t>(number)];
                }
            });
        }
    }
    EXPECT_EQ(std::accumulate(refused.begin(), refused.end(), 0), 0);
    EXPECT_EQ(send("DELETE", "/Users/" + id).status, 204);
}

// Every way to a name at once: creating somebody of that name and renaming somebody to it.
TEST_F(RobustnessTest, CC_01_OneNameIsOnePersonsWhoeverAsksForIt) {
    constexpr int kClients = 16;
    constexpr int kNames = 12;
    // Others for each name: who won before would free that name by winning again.
    const auto people = make_people("p", kNames * kClients);
    std::vector<std::map<int, int>> answers(kClients);
    {
        std::barrier together(kClients);
        std::vector<std::jthread> clients;
        for (int number = 0; number < kClients; ++number) {
            clients.emplace_back([&, number] {
                for (int name = 0; name < kNames; ++name) {
                    const auto wanted =
                        number % 2 == 0 ? fmt::format("Name{}", name) : fmt::format("nAME{}", name);
                    const auto& id = people[static_cast<std::size_t>(name * kClients + number)];
                    together.arrive_and_wait();
                    ++answers[static_cast<std::size_t>(number)][ask_for(number % 3, id, wanted)];
                }
            });
        }
    }
    std::map<int, int> all;
    for (const auto& each : answers) {
        for (const auto& [status, count] : each) all[status] += count;
    }
    EXPECT_EQ(all[200] + all[201], kNames);
    EXPECT_EQ(all[409], kNames * (kClients - 1));
    for (int name = 0; name < kNames; ++name) {
        const auto found =
            send("GET", fmt::format("/Users?filter=userName%20eq%20%22name{}%22", name));
        EXPECT_THAT(found.body, ::testing::HasSubstr("\"totalResults\":1,"));
    }
}

TEST_F(RobustnessTest, SM_01_MembersThatManyAddAreAllThere) {
    constexpr int kClients = 64;
    constexpr int kEach = 4;
    const auto group = testing::make_group(server_.address(), tenant_);
    const auto people = make_people("m", kClients * kEach);
    {
        std::vector<std::jthread> clients;
        for (int number = 0; number < kClients; ++number) {
            clients.emplace_back([&, number] {
                for (int i = 0; i < kEach; ++i) {
                    EXPECT_EQ(patch_members(group, "add",
                                            people[static_cast<std::size_t>(number * kEach + i)]),
                              204);
                }
            });
        }
    }
    EXPECT_EQ(members_of(group), kClients * kEach);
}

TEST_F(RobustnessTest, SM_04_AGroupOfAnySizeIsWhole) {
    const auto group = testing::make_group(server_.address(), tenant_);
    const auto people = make_people("s", 10'000);
    for (const int size : {99, 100, 101, 1'000, 10'000}) {
        std::string members;
        for (const auto& id : people | std::views::take(size)) {
            members += fmt::format(R"({}{{"value":"{}"}})", members.empty() ? "" : ",", id);
        }
        EXPECT_EQ(send("PUT", "/Groups/" + group + "?excludedAttributes=members",
                       fmt::format(R"({{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],)"
                                   R"("displayName":"g","members":[{}]}})",
                                   members))
                      .status,
                  200);
        EXPECT_EQ(members_of(group), size);
        EXPECT_EQ(patch_members(group, "remove", people.front()), 204);
        EXPECT_EQ(members_of(group), size - 1);
    }
}

/// So many people, each the next one's manager and the last the first's.
std::string circle_of(int count) {
    std::string all;
    for (int i = 0; i < count; ++i) {
        all += fmt::format(
            R"({}{{"method":"POST","path":"/Users","bulkId":"b{}","data":{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"c{}","active":true,"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{{"manager":{{"value":"bulkId:b{}"}}}}}}}})",
            i == 0 ? "" : ",", i, i, (i + 1) % count);
    }
    return all;
}

// A circle is made in steps, and who was made first gets their manager last: what others do to them
// in between stays done.
TEST_F(RobustnessTest, WhoIsSwitchedOffWhileACircleIsMadeStaysOff) {
    constexpr int kPeople = 300;
    std::jthread making(
        [&] { EXPECT_EQ(exchange("POST", "/Bulk", bulk(circle_of(kPeople))), 200); });
    const auto look = "/Users?filter=userName%20eq%20%22c0%22";
    json::Value found;
    for (int tries = 0; tries < 5'000 && found.is_null(); ++tries) {
        auto page = json::parse(send("GET", look).body).value();
        if (page.at("totalResults").to_number<int>() > 0) found = page.at("Resources").at(0);
    }
    ASSERT_TRUE(found.is_object());
    const auto path = "/Users/" + std::string(found.at("id").get_string());
    const bool in_between = !json::to_text(found).contains("manager");
    EXPECT_EQ(send("PATCH", path,
                   R"({"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],)"
                   R"("Operations":[{"op":"replace","path":"active","value":false}]})")
                  .status,
              200);
    making.join();
    EXPECT_TRUE(in_between) << "the circle was complete before it was seen";
    EXPECT_THAT(send("GET", "/Users?count=0").body,
                ::testing::HasSubstr(fmt::format(R"("totalResults":{},)", kPeople)));
    const auto after = send("GET", path).body;
    EXPECT_THAT(after, ::testing::HasSubstr(R"("active":false)"));
    EXPECT_THAT(after, ::testing::HasSubstr(R"("displayName":"c1")"));
}

TEST_F(RobustnessTest, PX_04_ACircleOfAThousandIsMade) {
    constexpr int kMost = 1'000;
    const auto too_many = send("POST", "/Bulk", bulk(circle_of(kMost + 1)));
    EXPECT_EQ(too_many.status, 413) << too_many.body.substr(0, 300);
    EXPECT_THAT(send("GET", "/Users?count=0").body, ::testing::HasSubstr("\"totalResults\":0"));

    // What waits for a reference has a durable commit of its own: a thousand of them.
    const auto made =
        json::parse(send("POST", "/Bulk", bulk(circle_of(kMost)), std::chrono::seconds(20)).body);
    ASSERT_TRUE(made);
    for (const auto& one : made->at("Operations").as_array()) {
        ASSERT_EQ(one.at("status").get_string(), "201") << json::to_text(one);
    }
    EXPECT_THAT(send("GET",
                     "/Users?count=0&filter=urn:ietf:params:scim:schemas:extension:enterprise:2.0:"
                     "User:manager.value%20pr")
                    .body,
                ::testing::HasSubstr("\"totalResults\":1000"));
}

TEST_F(RobustnessTest, PX_06_TenThousandTermsAreRefused) {
    const auto body = fmt::format(
        R"({{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":"{}id pr"}})",
        repeat("id pr or ", 9'999));
    expect_refused(send("POST", "/Users/.search", body), 400, "invalidFilter");
}

TEST_F(RobustnessTest, CC_05_NoMoreTokensThanTheLimitHoweverManyAreAskedFor) {
    constexpr int kAsking = 6;
    std::atomic<int> made{0};
    {
        std::vector<std::jthread> operators;
        for (int i = 0; i < kAsking; ++i) {
            operators.emplace_back([&] {
                const auto ended = testing::run({MUSTER_PROGRAM, "token", "generate", "--connector",
                                                 tenant_.connector, "--data", data_.string()});
                if (ended.code == 0) ++made;
            });
        }
    }
    EXPECT_EQ(made, 1) << "two may be active, and one there was";
}

// As under `ulimit -f`: the kernel's answer is a signal that ends who does not ignore it.
TEST_F(RobustnessTest, AFileThatMayNotGrowIsADiskThatRefuses) {
    ASSERT_EQ(send("POST", "/Users", testing::user_body("before")).status, 201);
    rlimit usual{};
    ASSERT_EQ(::prlimit(server_.pid(), RLIMIT_FSIZE, nullptr, &usual), 0);
    const rlimit none{.rlim_cur = 0, .rlim_max = usual.rlim_max};
    ASSERT_EQ(::prlimit(server_.pid(), RLIMIT_FSIZE, &none, nullptr), 0);
    for (const char* name : {"during", "during", "during2"}) {
        const auto refused = send("POST", "/Users", testing::user_body(name));
        EXPECT_EQ(refused.status, 503) << refused.body;
        EXPECT_FALSE(testing::text_member(refused.body, "detail").empty());
    }
    EXPECT_THAT(send("GET", "/Users?count=0").body, ::testing::HasSubstr("\"totalResults\":1,"));
    EXPECT_TRUE(server_.stop(std::chrono::seconds{15}));

    // As after every error of the disk, it writes again once it was started anew.
    const testing::ServerProcess again(MUSTER_PROGRAM, data_);
    EXPECT_EQ(exchange(again.address(), "POST", "/Users", testing::user_body("before")), 409);
    EXPECT_EQ(exchange(again.address(), "POST", "/Users", testing::user_body("during")), 201);
}

// Killed with requests under way: who asks again, as clients do, either makes the person or meets a
// conflict with one whom the look-ups find.
TEST_F(RobustnessTest, SM_08_WhoeverWasMadeWithoutAnAnswerIsFound) {
    constexpr int kClients = 8;
    server_.kill();
    int conflicts = 0;
    for (int round = 0; round < 30 && (round < 3 || conflicts == 0); ++round) {
        std::vector<int> unanswered(kClients, -1);
        const auto name_of = [round](std::size_t client, int number) {
            return fmt::format("r{}-{}-{}", round, client, number);
        };
        {
            testing::ServerProcess server(MUSTER_PROGRAM, data_);
            std::vector<std::jthread> clients;
            for (std::size_t client = 0; client < kClients; ++client) {
                clients.emplace_back([&, client] {
                    for (int number = 0; unanswered[client] < 0; ++number) {
                        const auto status = exchange(server.address(), "POST", "/Users",
                                                     testing::user_body(name_of(client, number)));
                        if (status != 201) unanswered[client] = number;
                    }
                });
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(30));
            server.kill();
        }
        testing::ServerProcess server(MUSTER_PROGRAM, data_);
        for (std::size_t client = 0; client < kClients; ++client) {
            const auto name = name_of(client, unanswered[client]);
            const auto again =
                exchange(server.address(), "POST", "/Users", testing::user_body(name));
            EXPECT_TRUE(again == 201 || again == 409) << again;
            conflicts += again == 409 ? 1 : 0;
            net::HttpClient asking(net::Url::parse("http://" + server.address()).value());
            const auto found = asking.send(
                {.method = "GET",
                 .target = tenant_.target("/Users?filter=userName%20eq%20%22" + name + "%22"),
                 .headers = {{"Authorization", "Bearer " + tenant_.token}}});
            ASSERT_TRUE(found);
            EXPECT_THAT(found->body, ::testing::HasSubstr("\"totalResults\":1,"));
        }
    }
    EXPECT_GT(conflicts, 0) << "nothing was made without an answer: the test shows nothing";
}

// As in the data directory of a node that keeps its data in PostgreSQL.
TEST(Commands, FillNoDirectoryWhoseDatabaseIsElsewhere) {
    const auto data = testing::make_temporary_directory();
    std::ofstream(data / "key") << std::string(43, 'k') << '\n';
    for (const char* what : {"list", "create"}) {
        std::vector<std::string> command = {MUSTER_PROGRAM, "org", what, "--data", data.string()};
        if (std::string_view(what) == "create") command.emplace_back("ACME");
        const auto ended = testing::run(command);
        EXPECT_EQ(ended.code, 5) << ended.output;
        EXPECT_THAT(ended.output, ::testing::HasSubstr("--config FILE"));
        EXPECT_FALSE(std::filesystem::exists(data / "muster.db"));
    }
    std::filesystem::remove_all(data);
}

// A key file outside of the data directory is found by the settings, and another one is refused.
TEST(Commands, UseTheServersKey) {
    const auto data = testing::make_temporary_directory();
    const auto settings = (data / "muster.toml").string();
    std::ofstream(settings) << fmt::format("data = \"{0}/data\"\nkey_file = \"{0}/its-key\"\n",
                                           data.string());
    const auto run = [&](std::vector<std::string> words) {
        words.insert(words.begin(), MUSTER_PROGRAM);
        return testing::run(words);
    };
    ASSERT_EQ(run({"org", "create", "ACME", "--config", settings}).code, 0);
    const auto made = run(
        {"connector", "create", "--org", "acme", "--idp", "okta", "--config", settings, "--json"});
    const auto id = testing::text_member(made.output.substr(0, made.output.find('\n')), "id");
    EXPECT_EQ(run({"token", "generate", "--connector", id, "--config", settings}).code, 0);
    EXPECT_TRUE(std::filesystem::exists(data / "its-key"));

    std::ofstream(data / "data/key") << std::string(43, 'k') << '\n';
    std::filesystem::permissions(data / "data/key", std::filesystem::perms::owner_read);
    const auto other = run({"token", "list", "--data", (data / "data").string()});
    EXPECT_EQ(other.code, 5) << other.output;
    EXPECT_THAT(other.output, ::testing::HasSubstr("the key file is not the one"));
    EXPECT_EQ(run({"doctor", "--config", settings}).code, 0);
    const auto checked = run({"doctor", "--data", (data / "data").string()});
    EXPECT_EQ(checked.code, 1);
    EXPECT_THAT(checked.output, ::testing::HasSubstr("not the key by which"));
    std::filesystem::remove_all(data);
}

TEST_F(RobustnessTest, ASecondProcessOnTheSameDataIsRefused) {
    const auto offline = app::Offline::open({.data = data_});
    ASSERT_FALSE(offline);
    EXPECT_NE(offline.error().find(data_.string()), std::string::npos) << offline.error();
    const pid_t second = ::fork();
    ASSERT_GE(second, 0);
    if (second == 0) {
        ::close(STDERR_FILENO);
        ::execl(MUSTER_PROGRAM, MUSTER_PROGRAM, "serve", "--data", data_.c_str(), "--listen",
                "127.0.0.1:0", nullptr);
        ::_exit(127);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(second, &status, 0), second);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_NE(WEXITSTATUS(status), 0);
    EXPECT_NE(WEXITSTATUS(status), 127);
    expect_serving();
}

}  // namespace
}  // namespace muster

#pragma once
// A whole core, for tests: on the memory store unless another one is given.

#include <memory>
#include <string>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include "service/directory.hpp"
#include "service/query.hpp"
#include "service/resources.hpp"
#include "store/memory/memory_store.hpp"

namespace muster::service {

class TestService {
  public:
    explicit TestService(std::unique_ptr<store::Store> store = store::open_memory_store())
        : store_(std::move(store)) {
        const auto organisation = wait(directory_.create_organisation("ACME", ""));
        EXPECT_TRUE(organisation);
        connector_ = make_connector("acme");
    }
    ~TestService() { store_->close(); }
    TestService(const TestService&) = delete;
    TestService& operator=(const TestService&) = delete;

    template <class T>
    T wait(Task<T> task) {
        auto future = boost::asio::co_spawn(context_, std::move(task), boost::asio::use_future);
        context_.restart();
        auto work = boost::asio::make_work_guard(context_);
        while (future.wait_for(std::chrono::seconds{0}) != std::future_status::ready) {
            context_.run_one_for(std::chrono::milliseconds{10});
        }
        return future.get();
    }

    auth::ConnectorPtr make_connector(const std::string& org, const std::string& idp = "okta") {
        const auto made = wait(directory_.create_connector({.org_slug = org, .idp = idp}));
        EXPECT_TRUE(made);
        return *made;
    }

    /// A call by the connector as it is now.
    Call call(std::string if_match = {}) {
        if (core_.registry.connector(connector_->connector.id)->tokens.empty()) {
            EXPECT_TRUE(wait(directory_.generate_token(
                {.connector_id = connector_->connector.id, .name = "t", .created_by = "test"})));
        }
        const auto current = core_.registry.connector(connector_->connector.id);
        const auto& token = current->tokens.front().token;
        return {.principal = {.connector = current,
                              .token = token.key,
                              .token_id = token.id,
                              .secret = token.hash},
                .base_url = "https://x/scim/v2",
                .if_match = std::move(if_match),
                .record = provlog::Record(
                    ids_.next_key<LogId>(),
                    {.org = current->connector.org, .connector = current->connector.key},
                    {.method = "TEST", .target = "/"}),
                .started = std::chrono::steady_clock::now()};
    }

    scim::Result<Answer> create(const scim::ResourceType& type, std::string body) {
        auto by = call();
        return wait(resources_.create(by, type, std::move(body), {}));
    }
    scim::Result<Answer> get(const scim::ResourceType& type, std::string id) {
        auto by = call();
        return wait(resources_.get(by, type, std::move(id), {}));
    }
    scim::Result<Answer> replace(const scim::ResourceType& type, std::string id, std::string body) {
        auto by = call();
        return wait(resources_.replace(by, type, std::move(id), std::move(body), {}));
    }
    scim::Result<Answer> patch(const scim::ResourceType& type, std::string id,
                               std::string operations, std::string if_match = {}) {
        auto by = call(std::move(if_match));
        auto body =
            R"({"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":)" +
            operations + "}";
        return wait(resources_.patch(by, type, std::move(id), std::move(body), {}));
    }

    static json::Object body(const scim::Result<Answer>& answer) {
        EXPECT_TRUE(answer) << (answer ? "" : answer.error().detail);
        const auto parsed = answer ? json::parse(answer->body) : json::parse("{}");
        EXPECT_TRUE(parsed && parsed->is_object());
        return parsed->get_object();
    }
    static std::string id(const scim::Result<Answer>& answer) {
        return std::string{json::string_or_empty(body(answer), "id")};
    }
    static std::string user(const std::string& name, const std::string& more = "") {
        return R"({"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":")" + name +
               "\"" + more + "}";
    }
    static std::string group(const std::string& name, const std::string& members = "[]") {
        return R"({"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":")" +
               name + R"(","members":)" + members + "}";
    }
    static std::string member(const std::string& id) { return R"({"value":")" + id + "\"}"; }

    boost::asio::io_context context_{1};
    ManualClock clock_{{1'800'000'000'000}};
    IdGenerator ids_{clock_, 0};
    std::unique_ptr<store::Store> store_;
    auth::Registry registry_{KeyedHash{"key"}};
    Core core_{*store_, registry_, clock_, ids_, {}};
    Directory directory_{core_, {}};
    Resources resources_{core_};
    Query query_{core_, resources_};
    const scim::ResourceType& users_ = scim::Catalog::standard()->user();
    const scim::ResourceType& groups_ = scim::Catalog::standard()->group();
    auth::ConnectorPtr connector_;
};

class ServiceTest : public ::testing::Test, protected TestService {};

}  // namespace muster::service

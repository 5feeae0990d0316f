#include "node.hpp"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>

#include <fmt/format.h>

#include "json/json.hpp"
#include "net/http_client.hpp"

namespace muster::nodes {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

json::Object object_at(testing::Client& client, const std::string& path) {
    const auto answer = client.send("GET", path);
    if (!answer || answer->status != 200) {
        throw std::runtime_error(path + ": " + (answer ? answer->body : answer.error()));
    }
    return json::parse(answer->body).value().get_object();
}

}  // namespace

Node::Node(std::string url) : data_(testing::make_temporary_directory()), url_(std::move(url)) {
    start();
}

Node::Node(std::string url, const Node& first)
    : data_(testing::make_temporary_directory()), url_(std::move(url)) {
    std::filesystem::copy(first.data_ / "key", data_ / "key");
    start();
}

Node::~Node() {
    server_.reset();
    std::filesystem::remove_all(data_);
}

void Node::suspend() const {
    ::kill(server_->pid(), SIGSTOP);
    // On a busy machine some of its threads run on for a while.
    const auto stands_still = [this] {
        const auto tasks = std::filesystem::path("/proc") / std::to_string(server_->pid()) / "task";
        return std::ranges::all_of(std::filesystem::directory_iterator(tasks),
                                   [](const auto& task) {
                                       std::string stat;
                                       std::getline(std::ifstream(task.path() / "stat"), stat);
                                       return stat.find(") T ") != std::string::npos;
                                   });
    };
    while (!stands_still()) std::this_thread::sleep_for(std::chrono::milliseconds{1});
}

void Node::start() {
    const std::string listen = server_ ? server_->address() : "127.0.0.1:0";
    server_.emplace(std::vector<std::string>{MUSTER_PROGRAM, "serve", "--data", data_.string(),
                                             "--listen", listen, "--database", url_, "--json"});
}

std::pair<int, std::string> Node::call(std::string_view method, std::string_view target,
                                       std::string_view body) const {
    net::HttpClient client(data_ / "muster.sock");
    auto answer = client.send({.method = std::string(method),
                               .target = std::string(target),
                               .headers = {{"Content-Type", "application/json"}},
                               .body = std::string(body)});
    if (!answer) throw std::runtime_error(answer.error());
    return {answer->status, std::move(answer->body)};
}

testing::Tenant Node::make_tenant(std::string_view name) const {
    return testing::make_tenant(
        [this](std::string_view method, std::string_view target, std::string_view body) {
            return call(method, target, body);
        },
        name);
}

int Node::readiness() const {
    net::HttpClient client(net::Url::parse("http://" + address()).value());
    const auto answer = client.send({.target = "/readyz"});
    return answer ? answer->status : 0;
}

bool Node::is_soon(int wanted) const {
    const auto last = steady_clock::now() + std::chrono::seconds{2};
    while (readiness() != wanted) {
        if (steady_clock::now() > last) return false;
        std::this_thread::sleep_for(milliseconds{50});
    }
    return true;
}

testing::Found read_all(const std::string& address, const testing::Tenant& tenant,
                        const std::string& group) {
    testing::Client client(address, tenant);
    testing::Found found;
    for (std::size_t begin = 1;;) {
        const auto page = object_at(
            client, fmt::format("/Users?attributes=title&count=1000&startIndex={}", begin));
        const auto* resources = page.if_contains("Resources");
        if (resources == nullptr || resources->get_array().empty()) break;
        for (const auto& one : resources->get_array()) {
            const auto title = json::string_or_empty(one.get_object(), "title");
            found.titles.emplace(json::string_or_empty(one.get_object(), "id"),
                                 title.empty() ? -1 : std::stoll(std::string(title)));
        }
        begin += resources->get_array().size();
    }
    const auto shown = object_at(client, "/Groups/" + group);
    if (const auto* members = shown.if_contains("members")) {
        for (const auto& one : members->get_array()) {
            found.members.emplace(json::string_or_empty(one.get_object(), "value"));
        }
    }
    return found;
}

milliseconds time_to_serve(const std::string& address, const testing::Tenant& tenant) {
    static std::atomic<int> attempts{0};
    const auto began = steady_clock::now();
    const auto until = began + std::chrono::minutes{1};
    // A client of its own each time, as an identity provider that tries again.
    while (steady_clock::now() < until) {
        testing::Client client(address, tenant, std::chrono::seconds{15});
        const auto name = fmt::format("probe-{}-{}", address, ++attempts);
        const auto answer = client.send("POST", "/Users", testing::user_body(name));
        if (answer && answer->status == 201) break;
        std::this_thread::sleep_for(milliseconds{50});
    }
    return std::chrono::duration_cast<milliseconds>(steady_clock::now() - began);
}

}  // namespace muster::nodes

#pragma once

#include <chrono>
#include <csignal>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "support/server_process.hpp"
#include "support/storm.hpp"

namespace muster::nodes {

/// One Muster of several on a database, as a process.
class Node {
  public:
    /// The first one makes the key file.
    explicit Node(std::string url);
    /// Another one beside `first`, with its key file.
    Node(std::string url, const Node& first);
    ~Node();
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

    [[nodiscard]] const std::string& address() const { return server_->address(); }
    [[nodiscard]] const std::filesystem::path& data() const { return data_; }
    /// The operator's API.
    std::pair<int, std::string> call(std::string_view method, std::string_view target,
                                     std::string_view body = {}) const;
    [[nodiscard]] testing::Tenant make_tenant(std::string_view name = "ACME") const;
    [[nodiscard]] int readiness() const;
    /// Whether it gets to that within two seconds.
    [[nodiscard]] bool is_soon(int wanted) const;

    /// Where it was before, if it was.
    void start();
    void kill() { server_->kill(); }
    /// Nothing of it runs until it is resumed; the kernel still takes its connections and input.
    void suspend() const;
    void resume() const { ::kill(server_->pid(), SIGCONT); }
    [[nodiscard]] bool stop(std::chrono::milliseconds patience) { return server_->stop(patience); }

  private:
    std::filesystem::path data_;
    std::string url_;
    std::optional<testing::ServerProcess> server_;
};

/// Users and the group's members, as a client sees them at that address.
[[nodiscard]] testing::Found read_all(const std::string& address, const testing::Tenant& tenant,
                                      const std::string& group);

/// How long it takes until a user can be created there; at most a minute.
std::chrono::milliseconds time_to_serve(const std::string& address, const testing::Tenant& tenant);

}  // namespace muster::nodes

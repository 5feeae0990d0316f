#pragma once
// What the checks made on the server, so that nothing of it is left behind.

#include <cstddef>
#include <string>
#include <vector>

#include "conform/exchange.hpp"

namespace muster::conform {

class Ledger {
  public:
    explicit Ledger(std::string base_path) : base_path_(std::move(base_path)) {}

    /// Books what an answer says was made: by POST to an endpoint, or in a bulk request.
    void note(const net::ClientRequest& request, const net::ClientResponse& answer);

    [[nodiscard]] std::size_t size() const { return made_.size(); }
    /// Deletes what was booked after the first `kept`, last first: groups go before their members.
    /// What is left although it was tried is returned.
    [[nodiscard]] std::vector<std::string> delete_after(std::size_t kept, const Send& send,
                                                        const Headers& headers);

  private:
    [[nodiscard]] std::string path_of_location(std::string_view location) const;

    std::string base_path_;
    std::vector<std::string> made_;
};

}  // namespace muster::conform

#pragma once
// What /metrics shows (Prometheus text format).

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "auth/registry.hpp"
#include "http/message.hpp"

namespace muster::api {

/// Thread-safe. Labels never hold names, addresses or ids of people.
class Metrics {
  public:
    Metrics(std::string_view version, std::string_view store);
    ~Metrics();

    void request(http::Method method, std::string_view resource, int status, double seconds);
    void refused(auth::Refusal refusal);

    /// Figures that are read when /metrics is asked for. A counter's only rises.
    void gauge(std::string name, std::string help, std::function<double()> read);
    void counter(std::string name, std::string help, std::function<double()> read);

    [[nodiscard]] std::string text() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace muster::api

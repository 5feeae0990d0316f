#pragma once
// POST /Bulk (RFC 7644 §3.7).

#include <string>

#include "service/bulk_request.hpp"
#include "service/resources.hpp"

namespace muster::service {

class Bulk {
  public:
    Bulk(const Core& core, const Resources& resources) : core_(core), resources_(resources) {}

    /// Carries the operations out, each with a commit and a log record of its own, in an order in
    /// which every reference is known: the given one as far as it goes. Of a circle the first is
    /// made without its references, which it gets at the end. Neighbouring creations share durable
    /// commits unless failOnErrors asks to stop between them.
    [[nodiscard]] Task<scim::Result<Answer>> run(Call& call, std::string body) const;

  private:
    class Run;

    const Core& core_;
    const Resources& resources_;
};

}  // namespace muster::service

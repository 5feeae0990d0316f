#pragma once
// Okta's HTTP client: its headers, its credential, its patience.

#include <string>
#include <string_view>

#include "json/json.hpp"
#include "net/http_client.hpp"
#include "simulator/step_book.hpp"

namespace muster::simulator {

/// An answer as Okta reads it. `document` is null where the body was no JSON object.
struct Reply {
    int status = 0;
    std::string request;  ///< "PATCH /Users/…": for examples of failures
    std::string raw;
    json::Value document;

    [[nodiscard]] const json::Object* object() const { return document.if_object(); }
    [[nodiscard]] std::string text(std::string_view member) const;
    /// The member's number, -1 where it is absent or no JSON integer (a string is not one).
    [[nodiscard]] std::int64_t number(std::string_view member) const;
    /// Resources of a ListResponse; empty where there are none.
    [[nodiscard]] const json::Array& resources() const;
};

/// One thread's connection. Every answer is checked for what Okta checks in all of them: it came
/// within 60 s, it is JSON, an error has SCIM's form.
class Session {
  public:
    Session(const OktaOptions& options, StepBook& book);

    /// `path` begins behind the base URL and is encoded already. Obeys 429 by Okta's rules.
    Reply send(std::string_view method, const std::string& path, const json::Value* body = nullptr);
    /// The same with another credential, once.
    Reply send_as(std::string_view authorization, const std::string& path);

    /// Records a failure of `reply` in words, unless `holds`. Returns `holds`.
    bool expect(bool holds, const Reply& reply, std::string_view why);

  private:
    Reply attempt(const net::ClientRequest& request);
    void check_form(const Reply& reply, const net::ClientResponse& response);

    const OktaOptions& options_;
    StepBook& book_;
    net::Url base_;
    std::string authorization_;
    net::HttpClient client_;
    std::chrono::seconds waited_{0};
};

/// "filter=userName eq "x"" with everything escaped, as Okta writes it.
[[nodiscard]] std::string match_query(std::string_view attribute, std::string_view value);

}  // namespace muster::simulator

#pragma once
// A client's HTTP: its headers, its credential, its patience.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "json/json.hpp"
#include "net/http_client.hpp"
#include "simulator/step_book.hpp"

namespace muster::simulator {

using Header = std::pair<std::string, std::string>;

/// What tells one client from another in every exchange.
struct Manners {
    std::string_view name;           ///< "Okta"
    std::vector<Header> headers;     ///< of every request
    std::string_view media_type;     ///< what every answer's must hold
    std::string_view at_unreadable;  ///< what becomes of a body that is no JSON
    std::string_view at_429;         ///< how it waits, for people
};
[[nodiscard]] const Manners& manners_of(Client client);

/// An answer as the client reads it. `document` is null where the body was no JSON object.
struct Reply {
    int status = 0;
    std::string request;  ///< "PATCH /Users/… {…}": for examples of failures
    std::string raw;
    json::Value document;

    [[nodiscard]] const json::Object* object() const { return document.if_object(); }
    [[nodiscard]] std::string text(std::string_view member) const;
    /// The member's number, -1 where it is absent or no JSON integer (a string is not one).
    [[nodiscard]] std::int64_t number(std::string_view member) const;
    /// Resources of a ListResponse; empty where there are none.
    [[nodiscard]] const json::Array& resources() const;
    /// The first of resources() where that is an object, null otherwise.
    [[nodiscard]] const json::Object* first_resource() const;
    /// Its id, or empty.
    [[nodiscard]] std::string first_id() const;
};

/// One thread's connection. Every answer is checked for what clients check in all of them: it is
/// JSON of the client's media type, an error has SCIM's form.
class Session {
  public:
    Session(const Options& options, StepBook& book);

    /// `path` begins behind the base URL and is encoded already. Waits at 429.
    Reply send(std::string_view method, const std::string& path, const json::Value* body = nullptr);
    /// The same with another credential, once.
    Reply send_as(std::string_view authorization, const std::string& path);

    /// Records a failure of `reply` in words, unless `holds`. Returns `holds`.
    bool expect(bool holds, const Reply& reply, std::string_view why);

  private:
    Reply attempt(const net::ClientRequest& request);
    void check_form(const Reply& reply, const net::ClientResponse& response);
    [[nodiscard]] std::vector<Header> headers(std::string_view authorization) const;

    const Options& options_;
    const Manners& manners_;
    StepBook& book_;
    net::Url base_;
    std::string authorization_;
    net::HttpClient client_;
    std::chrono::seconds waited_{0};
};

/// "filter=…", escaped.
[[nodiscard]] std::string filter_query(std::string_view filter);
/// `userName eq "x"`
[[nodiscard]] std::string equals(std::string_view attribute, std::string_view value);

}  // namespace muster::simulator

#pragma once
// What clients write otherwise than RFC 7644 has it, turned into the RFC's own form before the
// core sees it. A dialect is an ordered list of small named rewrites; the table in dialect.cpp says
// which client needs which. Pure: a function of the request and the schema.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "json/json.hpp"
#include "scim/error.hpp"
#include "scim/resource/resource.hpp"
#include "scim/schema/schema.hpp"

namespace muster::scim {

enum class Verb : std::uint8_t { Query, Create, Replace, Patch };

/// What of a request a dialect may change. Borrows everything; null: the request has none.
struct ClientRequest {
    Verb verb = Verb::Query;
    const ResourceType& type;
    std::string* filter = nullptr;
    json::Value* body = nullptr;
};

/// What a value is of its attribute.
enum class Part : std::uint8_t {
    Whole,     ///< all of it: an array, where the attribute is multi-valued
    Selected,  ///< the element that a value path picks
    Element,   ///< an element of the array
    Named,     ///< all of a sub-attribute that a path names: nobody sees the object round it
};
/// Whether it is an array exactly where the attribute is multi-valued.
[[nodiscard]] constexpr bool is_all(Part part) {
    return part == Part::Whole || part == Part::Named;
}

/// One deviation. It has one of the two functions. Both are total, say whether they changed
/// anything, and leave what they do not understand for the core, which refuses it in words.
struct Rewrite {
    std::string_view name;
    std::string_view client;       ///< who was seen to send it
    std::string_view source;       ///< "owner/repository#n", or the document that describes it
    std::string_view description;  ///< for the provisioning log: what was taken as what
    /// Linear in the request, but for the PATCH paths that it parses.
    bool (*apply)(ClientRequest&) = nullptr;
    /// Called for each value that an attribute of the schema has in the body, see visit.hpp.
    bool (*apply_to_value)(const ResourceType&, const Attribute&, json::Value&, Part) = nullptr;
};

class Dialect {
  public:
    constexpr Dialect(std::string_view name, std::string_view client,
                      std::span<const Rewrite* const> rewrites, bool is_strict = false)
        : name_(name), client_(client), rewrites_(rewrites), is_strict_(is_strict) {}

    [[nodiscard]] constexpr std::string_view name() const { return name_; }
    /// The product that speaks it, for people: "Microsoft Entra ID".
    [[nodiscard]] constexpr std::string_view client() const { return client_; }
    [[nodiscard]] constexpr std::span<const Rewrite* const> rewrites() const { return rewrites_; }

    /// Holds clients to the interoperability profile.
    [[nodiscard]] bool is_strict() const { return is_strict_; }
    /// Applies the rewrites in order; each that fired adds the note "dialect:NAME". The strict
    /// dialect changes nothing and refuses what the interoperability profile forbids: PATCH without
    /// a path, and attributes that the schema lacks. Errors: InvalidSyntax.
    [[nodiscard]] Result<void> rewrite(ClientRequest request, std::vector<Note>& notes) const;

  private:
    std::string_view name_;
    std::string_view client_;
    std::span<const Rewrite* const> rewrites_;
    bool is_strict_;
};

/// Every dialect: the clients by name, then generic and strict.
[[nodiscard]] std::span<const Dialect> dialects();
/// Null where there is none of that name.
[[nodiscard]] const Dialect* find_dialect(std::string_view name);
/// For connectors whose client has no dialect of its own: every rewrite that changes nothing for a
/// client that keeps to the RFC.
[[nodiscard]] const Dialect& generic_dialect();
/// The dialect of an identity provider: its own or the generic one.
[[nodiscard]] const Dialect& dialect_for(std::string_view idp);

/// Which dialect a request looks like, and by what: {"entra", "the operation is written \"Add\""}.
struct Suggestion {
    std::string_view dialect;
    std::string reason;
};
/// From the request as it was sent; `body` null: none. Nothing where there is nothing to tell
/// clients apart by. For people to read; what a connector speaks is what it was told.
[[nodiscard]] std::optional<Suggestion> detect(std::string_view user_agent,
                                               const json::Value* body);
/// Whether the dialect says all that the suggested one would: a client may use less than it could.
[[nodiscard]] bool covers(const Dialect& dialect, std::string_view suggested);

}  // namespace muster::scim

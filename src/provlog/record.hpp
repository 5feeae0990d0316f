#pragma once
// One provisioning log record: who asked, for what, what was decided and why, what was answered.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "json/json.hpp"
#include "provlog/redact.hpp"
#include "scim/resource/resource.hpp"
#include "store/types.hpp"

namespace muster::provlog {

/// Bodies larger than this are recorded by their size only; so are the values of changes beyond it,
/// together.
inline constexpr std::size_t kMaxBodyBytes = 32 * 1024;
/// More changes than this are counted, not listed.
inline constexpr std::size_t kMaxChanges = 200;

struct Who {
    OrgKey org;
    ConnectorKey connector;
    std::string_view org_slug;
    std::string_view connector_id;
    std::string_view token_id;
    std::string_view peer;
    std::string_view user_agent;
};

struct What {
    std::string_view method;
    std::string_view target;  ///< redacted by the record
};

/// Collects what happens to one request, in order. Cheap: it writes its JSON as it goes. One thread
/// at a time. A record without an answer is never written.
class Record {
  public:
    Record(LogId id, const Who& who, const What& what);

    [[nodiscard]] LogId id() const { return id_; }
    /// As shown to people and in SCIM error details.
    [[nodiscard]] std::string shown_id() const { return to_base32(id_.value); }

    /// The decision trace: "authenticated", "parsed", "matched", "changed", "written", "answered";
    /// "itself" where no client asked for it.
    void step(std::string_view stage, std::string_view text);
    /// The filter as it was understood, redacted.
    void filter(std::string_view text);
    /// A deviation that was applied or an input that was not taken to the letter.
    void notes(std::span<const scim::Note> notes);
    void changes(std::span<const scim::Change> changes);
    /// The resource that the request was about.
    void resource(std::string_view type, std::string_view id, std::string_view display);
    /// The request's body, redacted; `parsed` null: it was not JSON, only its size is kept.
    void request_body(std::string_view raw, const json::Value* parsed);
    /// Whether the body was kept, be it redacted.
    [[nodiscard]] bool keeps_request() const { return keeps_request_; }
    /// No schema of the organisation hides an attribute, so that a guess at one can be nowhere: the
    /// query is kept, and what is quoted from here on. Where one does, or who is refused before
    /// that is known, the target and what is quoted leave no more than plain names.
    void tell_all();
    /// A stable word for the outcome of a refusal, the key of explain(): "uniqueness".
    void reason(std::string_view code) { reason_ = code; }
    [[nodiscard]] std::string_view reason() const { return reason_; }

    /// The record as the store wants it. `response_body` must be JSON or empty.
    [[nodiscard]] store::LogEntry finish(int status, std::string_view response_body,
                                         std::int64_t duration_us) const;

    /// A state to go back to: an attempt is made again, or a write that was told of is refused.
    struct Mark {
        std::size_t trace = 0;
        std::size_t notes = 0;
        std::size_t changes = 0;
        std::string resource;
        std::string reason;
    };
    [[nodiscard]] Mark mark() const {
        return {trace_.size(), notes_.size(), changes_.size(), resource_, reason_};
    }
    /// As it was at the mark, but for the request's body.
    void rewind(const Mark& mark);

  private:
    [[nodiscard]] Hide hides_quotations() const {
        return tells_all_ ? Hide::Secrets : Hide::AllButNames;
    }
    [[nodiscard]] bool hides_part() const { return hides_part_ || !tells_all_; }
    [[nodiscard]] bool may_hold_secrets(int status, std::string_view response) const;

    LogId id_;
    OrgKey org_;
    ConnectorKey connector_;
    /// Part of the request is not kept: nor is what an error about its filter or path quotes of it.
    bool hides_part_ = false;
    bool keeps_request_ = false;
    std::string json_;
    std::size_t target_at_ = 0;  ///< in json_, which the target ends
    bool tells_all_ = false;
    std::string withheld_;  ///< the target with what could be a filter, until that may be kept
    std::string trace_;
    std::string notes_;
    std::string changes_;
    std::string request_body_;
    std::string resource_;
    std::string reason_;
};

}  // namespace muster::provlog

#pragma once
// Steps that several use cases share.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/task.hpp"
#include "scim/resource/resource.hpp"
#include "service/call.hpp"
#include "service/core.hpp"

namespace muster::service {

/// Reads the body under the limits, into `storage`, and hands it, redacted, to the log record.
[[nodiscard]] scim::Result<json::Value> parse_body(Call& call, const Limits& limits,
                                                   std::string_view body,
                                                   boost::json::storage_ptr storage = {});

/// The instance's limits, and what the connector's policy adds to them.
[[nodiscard]] scim::PatchLimits limits_for(const Core& core, const Call& call);

/// Hands the notes to the log record. Refuses what the connector's policy does not want dropped.
[[nodiscard]] scim::Result<void> take_notes(Call& call, std::span<const scim::Note> notes);

/// The live resource or 404.
[[nodiscard]] Task<scim::Result<store::Record>> load(const Core& core, Call& call,
                                                     const scim::ResourceType& type,
                                                     std::string id);

/// 404 for a resource that is not there (any more); names it in the log record.
[[nodiscard]] std::unexpected<scim::Error> refuse_missing(Call& call,
                                                          const scim::ResourceType& type,
                                                          std::string_view id);

/// 412 where the call's If-Match does not name `version`, or its If-None-Match does (RFC 9110
/// §13.1).
[[nodiscard]] scim::Result<void> check_precondition(Call& call, std::int64_t version);

/// The live resources behind member ids. Unknown ones are refused by name or skipped with a note,
/// by the connector's policy. `group`: whose whole list `ids` are, if any.
[[nodiscard]] Task<scim::Result<std::vector<store::Reference>>> resolve_members(
    const Core& core, Call& call, const std::vector<std::string>& ids, Rid group = {});

/// The live person whose id a new manager.value is. Nobody's is noted, for some clients send a
/// name; a strict connector refuses it.
[[nodiscard]] Task<scim::Result<std::optional<store::Reference>>> resolve_manager(
    const Core& core, Call& call, std::string_view id);

/// Commits one mutation with the call's log record in the same transaction. `answer` is what will
/// be sent if it succeeds.
[[nodiscard]] Task<store::Result<store::Applied>> commit(const Core& core, Call& call,
                                                         store::Mutation mutation, Answer answer);

/// A store's refusal in SCIM's words.
[[nodiscard]] std::unexpected<scim::Error> refuse_store(Call& call, const store::Error& error);

/// What a reference to this document shows.
[[nodiscard]] std::string display_of(const scim::ResourceType& type, const json::Object& document);

/// Everything that a store must change to get from one document to another.
[[nodiscard]] store::DocumentChange document_change(const scim::ResourceType& type,
                                                    const json::Object& before,
                                                    const json::Object& after,
                                                    std::string after_text);

/// A new document as it is stored, with the id that it has got: `{"schemas":[…],"id":…`.
[[nodiscard]] std::string document_text(const json::Object& document, std::string_view id);

/// The document as it is stored.
[[nodiscard]] json::Object parse_document(std::string_view text);

[[nodiscard]] std::vector<Rid> groups_among(std::span<const store::Reference> references);
[[nodiscard]] std::vector<Rid> rids_of(std::span<const store::Reference> references);

}  // namespace muster::service

#include <array>

#include "store/transfer/transfer.hpp"

namespace muster::store::transfer {
namespace {

using enum Kind;

constexpr std::array kInstanceKey{Column{"one", Truth}, Column{"fingerprint", Bytes}};

constexpr std::array kOrganisation{Column{"key", Number},       Column{"slug", Text},
                                   Column{"name", Text},        Column{"created", Number},
                                   Column{"definitions", Text}, Column{"removed", Truth}};

constexpr std::array kConnector{Column{"key", Number},  Column{"org", Number},
                                Column{"id", Text},     Column{"idp", Text},
                                Column{"name", Text},   Column{"state", Number},
                                Column{"policy", Text}, Column{"created", Number}};

constexpr std::array kToken{Column{"key", Number},
                            Column{"connector", Number},
                            Column{"id", Text},
                            Column{"name", Text},
                            Column{"kind", Number},
                            Column{"active", Truth},
                            Column{"hash", Bytes},
                            Column{"previous_hash", Bytes},
                            Column{"created_by", Text},
                            Column{"created", Number},
                            Column{"expires", Number},
                            Column{"last_used", Number},
                            Column{"last_used_from", Text},
                            Column{"previous_expires", Number}};

constexpr std::array kResource{
    Column{"rid", Number},     Column{"type", Text},      Column{"id", Text},
    Column{"version", Number}, Column{"created", Number}, Column{"modified", Number},
    Column{"active", Truth},   Column{"deleted", Number}, Column{"source", Number},
    Column{"nested", Truth},   Column{"display", Text},   Column{"document", Text}};

constexpr std::array kKey{Column{"type", Text}, Column{"attribute", Text}, Column{"key", Text},
                          Column{"rid", Number}};

constexpr std::array kMember{Column{"grp", Number}, Column{"member", Number},
                             Column{"is_group", Truth}};

constexpr std::array kCounter{Column{"type", Text}, Column{"live", Number}};

// In the order of an index that every kind of database has; the least id makes it unique.
constexpr std::array kLogSegment{Column{"last_id", Number},   Column{"first_id", Number},
                                 Column{"connector", Number}, Column{"records", Number},
                                 Column{"failures", Number},  Column{"data", Bytes}};

constexpr std::array kTables{Table{"organisation", kOrganisation, 1, true},
                             Table{"connector", kConnector, 1, true},
                             Table{"token", kToken, 1, true},
                             Table{kInstanceKeyTable, kInstanceKey, 1, true},
                             Table{"resource", kResource, 1},
                             Table{"uniq", kKey, 3},
                             Table{"attr", kKey, 4},
                             Table{"member", kMember, 2},
                             Table{"counter", kCounter, 1},
                             Table{"log_segment", kLogSegment, 2}};

}  // namespace

std::span<const Table> tables() { return kTables; }

}  // namespace muster::store::transfer

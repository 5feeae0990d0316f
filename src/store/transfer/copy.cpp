#include "store/transfer/copy.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/check.hpp"
#include "base/crypto.hpp"
#include "base/result.hpp"

namespace muster::store::transfer {
namespace {

constexpr std::size_t kBatchRows = 4'000;
constexpr std::size_t kBatchBytes = std::size_t{4} << 20;
constexpr std::int64_t kProgressRows = 500;

std::size_t bytes_of(const Row& row) {
    std::size_t bytes = 0;
    for (const Cell& cell : row) {
        if (const auto* text = std::get_if<std::string>(&cell)) bytes += text->size();
    }
    return bytes;
}

/// Rows by their number and by what is in them; equal where these are.
class Sum {
  public:
    void add(const Row& row) {
        ++rows_;
        for (const Cell& cell : row) {
            scratch_.assign(1, static_cast<char>(cell.index()));
            if (const auto* number = std::get_if<std::int64_t>(&cell)) {
                append(static_cast<std::uint64_t>(*number));
            } else if (const auto* text = std::get_if<std::string>(&cell)) {
                append(text->size());
                scratch_ += *text;
            }
            hash_.add(scratch_);
        }
    }
    [[nodiscard]] std::int64_t rows() const { return rows_; }
    [[nodiscard]] Digest digest() { return hash_.finish(); }

  private:
    void append(std::uint64_t number) {
        for (int shift = 0; shift < 64; shift += 8) {
            scratch_ += static_cast<char>((number >> shift) & 0xFF);
        }
    }

    Sha256 hash_;
    std::string scratch_;
    std::int64_t rows_ = 0;
};

/// The rows of one table and organisation, and what they came to in the source.
struct Portion {
    const Table* table;
    OrgKey org;
    std::int64_t rows = 0;
    Digest digest{};
};

class Copy {
  public:
    Copy(Source& source, Target& target, const Progress& progress)
        : source_(source), target_(target), progress_(progress) {}

    Result<Copied> run(std::string_view source_name) {
        TRY_ASSIGN(report_.resumed, target_.begin(source_name));
        TRY_VOID(plan());
        for (Portion& portion : portions_) TRY_VOID(write(portion));
        const Digest seal = seal_of(portions_);
        TRY_ASSIGN(const std::optional<Digest> sealed, source_.seal());
        if (sealed && *sealed != seal) {
            return fail("the backup is damaged: its rows are not the ones that were written to it");
        }
        for (const Portion& portion : portions_) TRY_VOID(verify(portion));
        TRY_VOID(target_.finish(seal));
        return std::move(report_);
    }

  private:
    static std::unexpected<Error> fail(std::string why) {
        return std::unexpected(Error{ErrorCode::Unavailable, std::move(why), {}, {}});
    }

    static Digest seal_of(std::span<const Portion> portions) {
        Sha256 all;
        for (const Portion& portion : portions) {
            // Tables and organisations that have no rows come and go with versions.
            if (portion.rows == 0) continue;
            all.add(portion.table->name);
            all.add(std::string_view(reinterpret_cast<const char*>(portion.digest.data()),
                                     portion.digest.size()));
        }
        return all.finish();
    }

    Result<void> plan() {
        std::vector<OrgKey> orgs = {OrgKey{}};
        TRY_ASSIGN(const auto organisations, source_.read(tables().front(), OrgKey{}));
        for (Row row;;) {
            TRY_ASSIGN(const bool found, organisations->next(row));
            if (!found) break;
            orgs.push_back(OrgKey{std::get<std::int64_t>(row.front())});
        }
        report_.organisations = static_cast<std::int64_t>(orgs.size()) - 1;
        for (const Table& table : tables()) {
            for (const OrgKey org : orgs) {
                if (table.shared && org != OrgKey{}) break;
                TRY_ASSIGN(const std::int64_t rows, source_.count(table, org));
                // Read once to be copied, and once to be checked.
                total_ += 2 * static_cast<std::uint64_t>(rows);
                portions_.push_back({&table, org});
            }
        }
        return {};
    }

    /// Reads all of it, for its sum, and writes what the target does not have yet.
    Result<void> write(Portion& portion) {
        const Table& table = *portion.table;
        TRY_ASSIGN(const Row last, target_.last_key(table, portion.org));
        std::vector<Row> batch;
        std::size_t bytes = 0;
        const auto flush = [&]() -> Result<void> {
            TRY_VOID(target_.write(table, portion.org, batch));
            batch.clear();
            bytes = 0;
            return {};
        };
        TRY_VOID(read(source_, portion, "copy", [&](Row& row) -> Result<void> {
            if (!is_behind(last, row, table.key)) return {};
            bytes += bytes_of(row);
            batch.push_back(std::move(row));
            if (batch.size() < kBatchRows && bytes < kBatchBytes) return {};
            return flush();
        }));
        if (!batch.empty()) TRY_VOID(flush());
        report_.rows += portion.rows;
        if (report_.tables.empty() || report_.tables.back().table != table.name) {
            report_.tables.push_back({table.name, 0});
        }
        report_.tables.back().rows += portion.rows;
        return {};
    }

    Result<void> verify(const Portion& expected) {
        Portion found{expected.table, expected.org};
        TRY_VOID(read(target_, found, "check", [](const Row&) { return Result<void>{}; }));
        if (found.rows == expected.rows && found.digest == expected.digest) return {};
        return fail(
            fmt::format("the copy differs from its source in the table {}: {} rows instead of {}, "
                        "or others. The source was changed since the copy was begun: empty the "
                        "target and copy again",
                        expected.table->name, found.rows, expected.rows));
    }

    static bool is_behind(const Row& last, const Row& row, std::size_t key) {
        return last.empty() || std::ranges::lexicographical_compare(std::span(last).first(key),
                                                                    std::span(row).first(key));
    }

    template <class Take>
    Result<void> read(Source& from, Portion& portion, std::string_view doing, Take take) {
        const Table& table = *portion.table;
        const std::string words = fmt::format("{} {}", doing, table.name);
        Sum sum;
        Row last;
        TRY_ASSIGN(const auto reading, from.read(table, portion.org));
        for (Row row;;) {
            TRY_ASSIGN(const bool found, reading->next(row));
            if (!found) break;
            // What was copied is known by its last key: rows out of order would be lost.
            MUSTER_CHECK(is_behind(last, row, table.key));
            const auto key = std::span(row).first(table.key);
            last.assign(key.begin(), key.end());
            sum.add(row);
            TRY_VOID(take(row));
            if (++done_ % kProgressRows == 0) progress_(done_, total_, words);
        }
        progress_(done_, total_, words);
        portion.rows = sum.rows();
        portion.digest = sum.digest();
        return {};
    }

    Source& source_;
    Target& target_;
    const Progress& progress_;
    std::vector<Portion> portions_;
    std::uint64_t done_ = 0;
    std::uint64_t total_ = 0;
    Copied report_;
};

}  // namespace

Result<Copied> copy(Source& source, std::string_view source_name, Target& target,
                    const Progress& progress) {
    return Copy(source, target, progress).run(source_name);
}

}  // namespace muster::store::transfer

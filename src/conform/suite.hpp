#pragma once
// The checks that there are, by area: those built in (conformance/*.scim) or of a directory.

#include <expected>
#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "conform/script.hpp"

namespace muster::conform {

/// One file of checks. Its fixtures live as long as the area is played.
struct Area {
    std::string name;  ///< of the file, without its extension
    std::vector<Check> checks;
};

using Suite = std::vector<Area>;

struct NamedText {
    std::string_view name;
    std::string_view text;
};

/// conformance/*.scim as they were when this was built.
[[nodiscard]] std::span<const NamedText> embedded_files();

/// In the order of the files. An error names the file, the line and what is wrong there: a name
/// that stands twice, a check without name or section.
[[nodiscard]] std::expected<Suite, std::string> load(std::span<const NamedText> files);
/// The *.scim files of a directory, by name.
[[nodiscard]] std::expected<Suite, std::string> load(const std::filesystem::path& directory);

/// "=== fixture: NAME" is no check but what the checks below it need.
[[nodiscard]] bool is_fixture(const Check& check);
/// "filter.eq-1": the area and the first word of the name.
[[nodiscard]] std::string id_of(const Area& area, const Check& check);
/// What follows the first word.
[[nodiscard]] std::string_view title_of(const Check& check);
/// "3.4.2.2" of "RFC 7644 §3.4.2.2 Filtering" is all up to the second word's end.
[[nodiscard]] std::string section_of(const Check& check);

}  // namespace muster::conform

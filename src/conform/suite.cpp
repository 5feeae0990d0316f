#include "conform/suite.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "base/result.hpp"
#include "conform/words.hpp"

namespace muster::conform {
namespace {

constexpr std::string_view kFixture = "fixture:";

std::expected<Area, std::string> area_of(const NamedText& file) {
    const auto wrong = [&](int line, std::string_view what) {
        return std::unexpected(fmt::format("{}.scim:{}: {}", file.name, line, what));
    };
    auto checks = parse_script(file.text);
    if (!checks) return std::unexpected(fmt::format("{}.scim:{}", file.name, checks.error()));
    Area area{.name = std::string{file.name}, .checks = std::move(*checks)};
    std::set<std::string> ids;
    for (const Check& check : area.checks) {
        if (is_fixture(check)) continue;
        if (title_of(check).empty())
            return wrong(check.line, "a check is called '=== ID what is held to be true'");
        if (check.section.empty()) return wrong(check.line, "a check stands below a '## ' section");
        if (!ids.insert(id_of(area, check)).second)
            return wrong(check.line, fmt::format("the id {} stands twice", id_of(area, check)));
    }
    return area;
}

}  // namespace

bool is_fixture(const Check& check) { return check.name.starts_with(kFixture); }

std::string id_of(const Area& area, const Check& check) {
    std::string_view name = check.name;
    return fmt::format("{}.{}", area.name, take_word(name));
}

std::string_view title_of(const Check& check) {
    std::string_view name = check.name;
    take_word(name);
    return name;
}

std::string section_of(const Check& check) {
    const std::size_t sign = check.section.find("§");
    if (sign == std::string::npos) return check.section;
    return check.section.substr(0, check.section.find(' ', sign));
}

std::expected<Suite, std::string> load(std::span<const NamedText> files) {
    Suite suite;
    for (const NamedText& file : files) {
        TRY_ASSIGN(Area area, area_of(file));
        suite.push_back(std::move(area));
    }
    return suite;
}

std::expected<Suite, std::string> load(const std::filesystem::path& directory) {
    std::error_code error;
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
        if (entry.path().extension() == ".scim") paths.push_back(entry.path());
    }
    if (error) return std::unexpected(fmt::format("{}: {}", directory.string(), error.message()));
    std::ranges::sort(paths);
    std::vector<std::pair<std::string, std::string>> texts;
    for (const auto& path : paths) {
        std::ifstream stream(path);
        texts.emplace_back(path.stem().string(),
                           std::string{std::istreambuf_iterator<char>(stream), {}});
    }
    std::vector<NamedText> files;
    for (const auto& [name, text] : texts) files.push_back({name, text});
    return load(files);
}

}  // namespace muster::conform

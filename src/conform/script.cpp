#include "conform/script.hpp"

#include <cstddef>
#include <string>

#include <fmt/format.h>

#include "base/result.hpp"
#include "conform/table.hpp"
#include "conform/words.hpp"

namespace muster::conform {
namespace {

using Failure = std::unexpected<std::string>;

void drop_blank_end(std::string& text) { text.erase(text.find_last_not_of(" \t\r\n") + 1); }

/// Reads line by line; `part_` is what the next line may be.
class Parser {
  public:
    std::expected<void, std::string> take(const Line& next) {
        number_ = next.number;
        const std::string_view line = next.text;
        if (line.starts_with("## ")) {
            begin_section(line.substr(3));
            return {};
        }
        if (line.starts_with('#')) return {};
        if (line.starts_with("=== ")) return begin_check(line.substr(4));
        if (line == "+++") return begin_step();
        if (line.starts_with("--- ")) return begin_expectation(line.substr(4));
        switch (part_) {
            case Part::Outside:
                return outside(line);
            case Part::Request:
                return request(line);
            case Part::Headers:
                return header(line, step().headers);
            case Part::ExpectedHeaders:
                return header(line, step().expected_headers);
            case Part::Body:
                append(step().body, line);
                return {};
            case Part::ExpectedBody:
                append(step().expected_body, line);
                return {};
        }
        return {};
    }

    std::expected<std::vector<Check>, std::string> finish() && {
        TRY_VOID(end_step());
        if (checks_.empty()) return wrong("no step: one begins with '=== NAME'");
        return std::move(checks_);
    }

  private:
    enum class Part { Outside, Request, Headers, Body, ExpectedHeaders, ExpectedBody };

    [[nodiscard]] Failure wrong(std::string_view what) const {
        return Failure(fmt::format("{}: {}", number_, what));
    }

    Step& step() { return checks_.back().steps.back(); }

    std::expected<void, std::string> end_step() {
        if (checks_.empty()) return {};
        if (step().method.empty()) return wrong("the step before has no request line");
        if (step().statuses.empty()) return wrong("the step before has no '--- STATUS' line");
        drop_blank_end(step().body);
        drop_blank_end(step().expected_body);
        return {};
    }

    void begin_section(std::string_view name) {
        section_ = {};
        section_.section = trim(name);
        part_ = Part::Outside;
    }

    std::expected<void, std::string> begin_check(std::string_view name) {
        TRY_VOID(end_step());
        checks_.push_back(section_);
        checks_.back().name = trim(name);
        checks_.back().line = number_;
        checks_.back().steps.emplace_back();
        part_ = Part::Request;
        return {};
    }

    std::expected<void, std::string> begin_step() {
        TRY_VOID(end_step());
        if (checks_.empty()) return wrong("'+++' must follow a step");
        checks_.back().steps.emplace_back();
        part_ = Part::Request;
        return {};
    }

    std::expected<void, std::string> begin_expectation(std::string_view statuses) {
        if (part_ != Part::Headers && part_ != Part::Body)
            return wrong("'--- STATUS' must follow a request");
        for (std::string& status : split(statuses, '|')) {
            if (!is_status_pattern(status)) return wrong("the status must be a number");
            step().statuses.push_back(std::move(status));
        }
        part_ = Part::ExpectedHeaders;
        return {};
    }

    /// Between a "##" line and the first check: what holds for the section.
    std::expected<void, std::string> outside(std::string_view line) {
        // "@idp" is for those who make the connector: tests/scenarios.
        if (trim(line).empty() || line.starts_with("@idp ")) return {};
        if (line.starts_with("@needs ")) return need(line.substr(7), section_);
        if (line.starts_with("@header ")) {
            const std::size_t colon = line.find(':');
            if (colon == std::string_view::npos) return wrong("expected '@header Name: value'");
            section_.headers.emplace_back(trim(line.substr(8, colon - 8)),
                                          trim(line.substr(colon + 1)));
            return {};
        }
        return wrong("only comments, '@needs' and '@header' may stand before the first step");
    }

    static std::expected<void, std::string> need(std::string_view features, Check& check) {
        for (std::string& feature : split(features, ',')) check.needs.push_back(std::move(feature));
        return {};
    }

    std::expected<void, std::string> request(std::string_view line) {
        if (trim(line).empty()) return {};
        if (line.starts_with('@')) return directive(line);
        step().method = take_word(line);
        if (!line.starts_with('/') && !line.starts_with('{') && !line.starts_with("http"))
            return wrong("expected 'METHOD /target'");
        step().target = line;
        part_ = Part::Headers;
        return {};
    }

    std::expected<void, std::string> directive(std::string_view line) {
        const std::string_view word = take_word(line);
        if (word == "@needs") return need(line, checks_.back());
        if (word == "@repeat") {
            if (!parse_number(line, step().repeat)) return wrong("expected '@repeat NUMBER'");
            return {};
        }
        if (word == "@run") return run(line);
        return list(word, line);
    }

    std::expected<void, std::string> run(std::string_view line) {
        CommandRun run;
        run.name = take_word(line);
        while (!line.empty()) run.words.emplace_back(take_word(line));
        if (run.words.empty()) return wrong("expected '@run NAME WORDS'");
        step().runs.push_back(std::move(run));
        return {};
    }

    std::expected<void, std::string> list(std::string_view word, std::string_view line) {
        ListVariable list;
        list.name = take_word(line);
        const std::string_view range = take_word(line);
        const std::size_t dots = range.find("..");
        if (word != "@list" || dots == std::string_view::npos || line.empty() ||
            !parse_number(range.substr(0, dots), list.from) ||
            !parse_number(range.substr(dots + 2), list.to))
            return wrong(
                "expected '@needs FEATURE', '@repeat NUMBER', '@run NAME WORDS' or '@list NAME "
                "FROM..TO TEMPLATE'");
        list.item = line;
        step().lists.push_back(std::move(list));
        return {};
    }

    std::expected<void, std::string> header(std::string_view line, Headers& headers) {
        const bool expected = part_ == Part::ExpectedHeaders;
        const bool begins_json = line.starts_with('{') || line.starts_with('[');
        if (trim(line).empty() || begins_json) {
            part_ = expected ? Part::ExpectedBody : Part::Body;
            if (begins_json) append(expected ? step().expected_body : step().body, line);
            return {};
        }
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos)
            return wrong("expected 'Header: value', a blank line or JSON");
        headers.emplace_back(trim(line.substr(0, colon)), trim(line.substr(colon + 1)));
        return {};
    }

    static void append(std::string& text, std::string_view line) {
        if (!text.empty()) text += '\n';
        text += line;
    }

    std::vector<Check> checks_;
    Check section_;  ///< what each check of the section begins with
    Part part_ = Part::Outside;
    int number_ = 0;
};

}  // namespace

bool is_status_pattern(std::string_view text) {
    return text.size() == 3 && text.front() >= '1' && text.front() <= '5' &&
           text.find_first_not_of("0123456789x", 1) == std::string_view::npos;
}

bool matches_status(std::string_view pattern, int status) {
    const std::string digits = std::to_string(status);
    if (digits.size() != pattern.size()) return false;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (pattern[i] != 'x' && pattern[i] != digits[i]) return false;
    }
    return true;
}

std::expected<std::vector<Check>, std::string> parse_script(std::string_view text) {
    TRY_ASSIGN(const std::vector<Line> lines, written_out(text));
    Parser parser;
    for (const Line& line : lines) TRY_VOID(parser.take(line));
    return std::move(parser).finish();
}

}  // namespace muster::conform

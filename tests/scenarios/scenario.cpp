#include "scenario.hpp"

#include <charconv>
#include <cstddef>
#include <string>

#include <fmt/format.h>

#include "base/result.hpp"

namespace muster::scenarios {
namespace {

using Failure = std::unexpected<std::string>;

constexpr std::string_view kIdp = "@idp ";

std::string_view trim(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

/// Cuts the first word off `text`.
std::string_view take_word(std::string_view& text) {
    text = trim(text);
    const std::size_t end = text.find(' ');
    const std::string_view word = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : trim(text.substr(end));
    return word;
}

bool parse_int(std::string_view text, int& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} && end == text.data() + text.size();
}

/// Reads line by line; `part_` is what the next line may be.
class Parser {
  public:
    std::expected<void, std::string> take(std::string_view line) {
        ++number_;
        if (line.starts_with('#')) return {};
        if (line.starts_with("=== ")) return begin_step(line.substr(4));
        if (line.starts_with("--- ")) return begin_expectation(line.substr(4));
        switch (part_) {
            case Part::Outside:
                return outside(line);
            case Part::Request:
                return request(line);
            case Part::Headers:
                return header(line, steps_.back().headers);
            case Part::ExpectedHeaders:
                return header(line, steps_.back().expected_headers);
            case Part::Body:
                append(steps_.back().body, line);
                return {};
            case Part::ExpectedBody:
                append(steps_.back().expected_body, line);
                return {};
        }
        return {};
    }

    std::expected<std::vector<Step>, std::string> finish() && {
        TRY_VOID(end_step());
        if (steps_.empty()) return wrong("no step: one begins with '=== NAME'");
        return std::move(steps_);
    }

  private:
    enum class Part { Outside, Request, Headers, Body, ExpectedHeaders, ExpectedBody };

    Failure wrong(std::string_view what) const {
        return Failure(fmt::format("{}: {}", number_, what));
    }

    std::expected<void, std::string> end_step() const {
        if (steps_.empty()) return {};
        if (steps_.back().method.empty()) return wrong("the step before has no request line");
        if (steps_.back().status == 0) return wrong("the step before has no '--- STATUS' line");
        return {};
    }

    std::expected<void, std::string> begin_step(std::string_view name) {
        TRY_VOID(end_step());
        Step step;
        step.name = trim(name);
        step.line = number_;
        steps_.push_back(std::move(step));
        part_ = Part::Request;
        return {};
    }

    std::expected<void, std::string> begin_expectation(std::string_view status) {
        if (part_ != Part::Headers && part_ != Part::Body)
            return wrong("'--- STATUS' must follow a request");
        if (!parse_int(trim(status), steps_.back().status))
            return wrong("the status must be a number");
        part_ = Part::ExpectedHeaders;
        return {};
    }

    std::expected<void, std::string> outside(std::string_view line) const {
        if (trim(line).empty() || line.starts_with(kIdp)) return {};
        return wrong("only comments and '@idp NAME' may stand before the first step");
    }

    std::expected<void, std::string> request(std::string_view line) {
        if (trim(line).empty()) return {};
        if (line.starts_with('@')) return directive(line);
        steps_.back().method = take_word(line);
        if (!line.starts_with('/') && !line.starts_with('{') && !line.starts_with("http"))
            return wrong("expected 'METHOD /target'");
        steps_.back().target = line;
        part_ = Part::Headers;
        return {};
    }

    std::expected<void, std::string> directive(std::string_view line) {
        const std::string_view word = take_word(line);
        if (word == "@repeat") {
            if (!parse_int(line, steps_.back().repeat)) return wrong("expected '@repeat NUMBER'");
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
        steps_.back().runs.push_back(std::move(run));
        return {};
    }

    std::expected<void, std::string> list(std::string_view word, std::string_view line) {
        ListVariable list;
        list.name = take_word(line);
        const std::string_view range = take_word(line);
        const std::size_t dots = range.find("..");
        if (word != "@list" || dots == std::string_view::npos || line.empty() ||
            !parse_int(range.substr(0, dots), list.from) ||
            !parse_int(range.substr(dots + 2), list.to))
            return wrong(
                "expected '@repeat NUMBER', '@run NAME WORDS' or '@list NAME FROM..TO TEMPLATE'");
        list.item = line;
        steps_.back().lists.push_back(std::move(list));
        return {};
    }

    std::expected<void, std::string> header(std::string_view line, Headers& headers) {
        const bool expected = part_ == Part::ExpectedHeaders;
        const bool begins_json = line.starts_with('{') || line.starts_with('[');
        if (trim(line).empty() || begins_json) {
            part_ = expected ? Part::ExpectedBody : Part::Body;
            if (begins_json)
                append(expected ? steps_.back().expected_body : steps_.back().body, line);
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

    std::vector<Step> steps_;
    Part part_ = Part::Outside;
    int number_ = 0;
};

void drop_blank_end(std::string& text) { text.erase(text.find_last_not_of(" \t\r\n") + 1); }

}  // namespace

std::string idp_of(std::string_view text) {
    const std::size_t first_step = text.find("\n=== ");
    text = text.substr(0, first_step);
    const std::size_t line = text.starts_with(kIdp) ? 0 : text.find('\n' + std::string{kIdp});
    if (line == std::string_view::npos) return "okta";
    text.remove_prefix(text.find(kIdp, line) + kIdp.size());
    return std::string{trim(text.substr(0, text.find('\n')))};
}

std::expected<std::vector<Step>, std::string> parse_scenario(std::string_view text) {
    Parser parser;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        TRY_VOID(parser.take(text.substr(0, end)));
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    }
    TRY_ASSIGN(std::vector<Step> steps, std::move(parser).finish());
    for (Step& step : steps) {
        drop_blank_end(step.body);
        drop_blank_end(step.expected_body);
    }
    return steps;
}

}  // namespace muster::scenarios

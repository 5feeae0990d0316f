#include "conform/exchange.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/result.hpp"
#include "base/text.hpp"
#include "conform/always.hpp"
#include "conform/reader.hpp"

namespace muster::conform {
namespace {

constexpr std::string_view kAbsent = "!absent";
constexpr std::size_t kMostShown = 2000;

bool names(const Headers& headers, std::string_view name) {
    return std::ranges::any_of(
        headers, [&](const auto& header) { return equals_ignoring_case(header.first, name); });
}

/// `headers` with those of `nearer` in place of its own of the same name.
Headers overlaid(Headers headers, const Headers& nearer) {
    std::erase_if(headers, [&](const auto& header) { return names(nearer, header.first); });
    headers.insert(headers.end(), nearer.begin(), nearer.end());
    return headers;
}

std::string cut(std::string_view text) {
    if (text.size() <= kMostShown) return std::string{text};
    return fmt::format("{}… ({} bytes)", utf8_prefix(text, kMostShown), text.size());
}

std::string shown(const net::ClientRequest& request, const Headers& own) {
    std::string text = fmt::format("{} {}", request.method, cut(request.target));
    for (const auto& [name, value] : request.headers) {
        const bool credential = equals_ignoring_case(name, "Authorization");
        if (names(own, name)) text += fmt::format("\n{}: {}", name, credential ? "…" : value);
    }
    return request.body.empty() ? text : text + "\n" + cut(request.body);
}

std::string path_of(std::string_view url) {
    const auto parsed = net::Url::parse(url);
    return parsed ? parsed->path : std::string{url};
}

std::string shown(const net::ClientResponse& answer) {
    return fmt::format("{} {}", answer.status, cut(answer.body));
}

}  // namespace

std::string encode_target(std::string_view target) {
    constexpr std::string_view kAsTheyStand =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:/?@!$&'()*+,;=%";
    std::string out;
    for (const char c : target) {
        if (kAsTheyStand.find(c) != std::string_view::npos)
            out += c;
        else
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
}

Played Exchange::play(const Step& step, const Headers& section_headers) {
    Played played;
    for (int n = 1; n <= step.repeat; ++n) {
        variables_.set("n", std::to_string(n));
        played = play_once(step, section_headers);
        if (played.wrong.empty()) continue;
        if (step.repeat > 1) played.wrong.push_back(fmt::format("in repetition {}", n));
        break;
    }
    return played;
}

std::expected<void, std::string> Exchange::run(const CommandRun& command) {
    std::vector<std::string> words;
    for (const std::string& word : command.words) {
        TRY_ASSIGN(std::string filled, variables_.fill(word, Variables::Context::Plain));
        words.push_back(std::move(filled));
    }
    if (!ways_.run_command)
        return std::unexpected("@run needs a binary to run; there is none here");
    TRY_ASSIGN(const json::Object printed, ways_.run_command(std::move(words)));
    for (const auto& [member, value] : printed) {
        if (value.is_string())
            variables_.set(fmt::format("{}.{}", command.name, std::string_view{member}),
                           std::string{value.get_string()});
    }
    return {};
}

std::expected<void, std::string> Exchange::make_list(const ListVariable& list) {
    std::string joined;
    for (int i = list.from; i <= list.to; ++i) {
        std::string item = list.item;
        for (std::size_t at = 0; (at = item.find('#', at)) != std::string::npos;)
            item.replace(at, 1, std::to_string(i));
        TRY_ASSIGN(const std::string filled, variables_.fill(item, Variables::Context::Json));
        if (!joined.empty()) joined += ',';
        joined += filled;
    }
    variables_.set_raw(list.name, std::move(joined));
    return {};
}

std::expected<net::ClientRequest, std::string> Exchange::prepare(const Step& step,
                                                                 const Headers& section_headers) {
    for (const CommandRun& command : step.runs) TRY_VOID(run(command));
    for (const ListVariable& list : step.lists) TRY_VOID(make_list(list));

    net::ClientRequest request;
    request.method = step.method;
    const std::string target = step.target.starts_with('/') ? "{base}" + step.target : step.target;
    TRY_ASSIGN(request.target, variables_.fill(target, Variables::Context::Plain));
    TRY_ASSIGN(request.body, variables_.fill(step.body, Variables::Context::Json));
    Headers headers = ways_.headers;
    if (!request.body.empty()) headers.emplace_back("Content-Type", ways_.content_type);
    for (const auto& [name, value] : overlaid(overlaid(headers, section_headers), step.headers)) {
        if (value == kAbsent) continue;
        TRY_ASSIGN(std::string filled, variables_.fill(value, Variables::Context::Plain));
        request.headers.emplace_back(name, std::move(filled));
    }
    // URLs as given out may hold the public name of the server; here it is spoken to directly.
    if (const std::size_t scheme = request.target.find("://"); scheme != std::string::npos) {
        const std::size_t path = request.target.find('/', scheme + 3);
        request.target = path == std::string::npos ? "/" : request.target.substr(path);
    }
    request.target = encode_target(request.target);
    return request;
}

Played Exchange::play_once(const Step& step, const Headers& section_headers) {
    Played played;
    const auto request = prepare(step, section_headers);
    if (!request) {
        played.wrong.push_back(request.error());
        return played;
    }
    played.sent = true;
    played.request = shown(*request, overlaid(section_headers, step.headers));
    const auto answer = ways_.send(*request);
    if (!answer) {
        played.wrong.push_back(answer.error());
        return played;
    }
    played.status = answer->status;
    played.answer = shown(*answer);
    // What answers outside the SCIM URL (metrics, the operator's pages) is none of SCIM's business.
    const auto base = variables_.fill("{base}", Variables::Context::Plain);
    if (request->method != "HEAD" && base && request->target.starts_with(path_of(*base)))
        played.always = breaches_of(*answer);
    compare(step, *answer, played.wrong);
    return played;
}

void Exchange::compare(const Step& step, const net::ClientResponse& answer,
                       std::vector<std::string>& wrong) {
    if (std::ranges::none_of(step.statuses, [&](const std::string& pattern) {
            return matches_status(pattern, answer.status);
        }))
        wrong.push_back(
            fmt::format("expected {}, got {}", fmt::join(step.statuses, " or "), answer.status));
    const bool may_be_bodyless = step.statuses.size() > 1 && answer.body.empty();
    if (!step.expected_body.empty() && !may_be_bodyless) {
        const auto expected = json::parse(step.expected_body);
        if (!expected) {
            wrong.push_back(
                fmt::format("the expected body is no JSON: {}", expected.error().message));
            return;
        }
        const auto actual = read_body(answer.body);
        if (!actual)
            wrong.push_back(fmt::format("the answer is no JSON: {}", actual.error()));
        else
            match_json(*expected, *actual, "", variables_, wrong);
    }
    compare_headers(step, answer, wrong);
}

void Exchange::compare_headers(const Step& step, const net::ClientResponse& answer,
                               std::vector<std::string>& wrong) {
    for (const auto& [name, pattern] : step.expected_headers) {
        const std::string_view value = answer.header(name);
        const auto wanted = variables_.fill(pattern, Variables::Context::Plain);
        if (!wanted) {
            wrong.push_back(wanted.error());
        } else if (*wanted == kAbsent) {
            if (!value.empty())
                wrong.push_back(fmt::format("{} must be absent: '{}'", name, value));
        } else if (wanted->starts_with('@')) {
            variables_.set(wanted->substr(1), std::string{value});
        } else if (value.empty() || !matches_glob(*wanted, value)) {
            wrong.push_back(fmt::format("{}: expected '{}', got '{}'", name, *wanted, value));
        }
    }
}

}  // namespace muster::conform

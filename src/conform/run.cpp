#include "conform/run.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "conform/always.hpp"
#include "conform/features.hpp"
#include "conform/ledger.hpp"
#include "conform/reader.hpp"
#include "conform/words.hpp"

namespace muster::conform {
namespace {

constexpr std::string_view kAlwaysArea = "always";

constexpr std::pair<const char*, const char*> kUrns[] = {
    {"User", "urn:ietf:params:scim:schemas:core:2.0:User"},
    {"Group", "urn:ietf:params:scim:schemas:core:2.0:Group"},
    {"Enterprise", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"},
    {"PatchOp", "urn:ietf:params:scim:api:messages:2.0:PatchOp"},
    {"BulkRequest", "urn:ietf:params:scim:api:messages:2.0:BulkRequest"},
    {"BulkResponse", "urn:ietf:params:scim:api:messages:2.0:BulkResponse"},
    {"SearchRequest", "urn:ietf:params:scim:api:messages:2.0:SearchRequest"},
    {"ListResponse", "urn:ietf:params:scim:api:messages:2.0:ListResponse"},
    {"Error", "urn:ietf:params:scim:api:messages:2.0:Error"},
};

bool is_asked_for(const std::vector<std::string>& only, std::string_view id) {
    return only.empty() || std::ranges::any_of(only, [&](const std::string& wanted) {
               return id == wanted || id.starts_with(wanted + ".") ||
                      (wanted.contains('.') && id.starts_with(wanted));
           });
}

/// What is left of the suite where only some of it was asked for; fixtures stay.
Suite chosen(const Suite& suite, const std::vector<std::string>& only) {
    Suite out;
    for (const Area& area : suite) {
        Area part{.name = area.name, .checks = {}};
        bool any = false;
        for (const Check& check : area.checks) {
            const bool wanted = is_fixture(check) || is_asked_for(only, id_of(area, check));
            any = any || (wanted && !is_fixture(check));
            if (wanted) part.checks.push_back(check);
        }
        if (any) out.push_back(std::move(part));
    }
    return out;
}

std::string indented(std::string_view text) {
    std::string out;
    for (const std::string_view line : lines_of(text)) {
        if (!out.empty()) out += "\n          ";
        out += line;
    }
    return out;
}

class Player {
  public:
    Player(const Options& options, Send send, const Progress& progress, const Stop& stop)
        : options_(options),
          base_path_(net::Url::parse(options.base_url).value_or(net::Url{}).path),
          ledger_(base_path_),
          progress_(progress),
          stop_(stop),
          send_([this, send = std::move(send)](const net::ClientRequest& request) {
              auto answer = send(request);
              if (answer)
                  ledger_.note(request, *answer);
              else
                  silence_ = answer.error();
              return answer;
          }) {
        if (!options.authorization.empty())
            headers_.emplace_back("Authorization", options.authorization.reveal());
        headers_.emplace_back("Accept", "application/scim+json");
        headers_.emplace_back("User-Agent", "muster-conform");
    }

    Report play(const Suite& suite) {
        features_ = Features::read(send_, headers_, base_path_);
        report_.base_url = options_.base_url;
        for (const Area& area : suite)
            total_ += static_cast<std::uint64_t>(
                std::ranges::count_if(area.checks, [](const auto& c) { return !is_fixture(c); }));
        for (const Area& area : suite) {
            if (report_.interrupted) break;
            play_area(area);
        }
        if (is_asked_for(options_.only, kAlwaysArea)) add_always();
        return std::move(report_);
    }

  private:
    void play_area(const Area& area) {
        Variables variables;
        prepare(variables);
        name(variables, area.name);
        Exchange exchange(variables, {.send = send_,
                                      .headers = headers_,
                                      .content_type = "application/scim+json",
                                      .run_command = {}});
        const std::size_t kept = ledger_.size();
        failed_fixture_.clear();
        for (const Check& check : area.checks) {
            if (stop_ && stop_()) {
                report_.interrupted = true;
                break;
            }
            if (is_fixture(check)) {
                play_fixture(exchange, check);
                continue;
            }
            name(variables, fmt::format("{}-{}", area.name, first_word(check.name)));
            const std::size_t before = ledger_.size();
            report_.checks.push_back(result_of(area, check, exchange));
            if (is_gone()) {
                report_.interrupted = true;
                report_.reason = fmt::format("The server ceased to answer in {}: {}.",
                                             report_.checks.back().id, silence_);
                break;
            }
            clean_up(before);
            if (progress_) progress_(report_.checks.size(), total_, area.name);
        }
        clean_up(kept);
    }

    /// No answer came, nor does one come to what every server answers.
    [[nodiscard]] bool is_gone() {
        if (silence_.empty()) return false;
        silence_.clear();
        net::ClientRequest question;
        question.target = base_path_ + "/ServiceProviderConfig";
        question.headers = headers_;
        return !send_(question);
    }

    static std::string_view first_word(std::string_view name) { return take_word(name); }

    /// What is made from here on belongs to `check`; for a fixture that is its area.
    void name(Variables& variables, const std::string& check) const {
        variables.set("check", check);
        variables.set("mail", fmt::format("{}-{}.example", run_, check));
    }

    void prepare(Variables& variables) {
        variables.set("base", options_.base_url);
        variables.set("run", run_);
        variables.set_raw("nul", std::string(1, '\0'));
        for (const auto& [name, urn] : kUrns) variables.set(name, urn);
        features_.set_variables(variables);
    }

    void clean_up(std::size_t kept) {
        auto left = ledger_.delete_after(kept, send_, headers_);
        report_.left_behind.insert(report_.left_behind.end(), left.begin(), left.end());
    }

    void play_fixture(Exchange& exchange, const Check& check) {
        for (const Step& step : check.steps) {
            const Played played = exchange.play(step, check.headers);
            book_breaches(check.name, played);
            if (played.wrong.empty()) continue;
            failed_fixture_ =
                fmt::format("{}: {}\nsent:     {}\nanswered: {}", check.name, played.wrong.front(),
                            indented(played.request), indented(played.answer));
            return;
        }
    }

    Result result_of(const Area& area, const Check& check, Exchange& exchange) {
        Result result{.id = id_of(area, check),
                      .area = area.name,
                      .section = section_of(check),
                      .title = std::string{title_of(check)},
                      .outcome = Outcome::Passed,
                      .detail = {}};
        const auto missing = std::ranges::find_if(
            check.needs, [this](const auto& need) { return !features_.declares(need); });
        for (const Step& step : check.steps) {
            const Played played = exchange.play(step, check.headers);
            book_breaches(result.id, played);
            if (played.wrong.empty()) continue;
            result.detail = detail_of(check, step, played);
            result.outcome = outcome_of(check, played, missing != check.needs.end());
            break;
        }
        if (missing != check.needs.end() && result.outcome != Outcome::Undeclared) {
            result.outcome = Outcome::Unsupported;
            result.detail = fmt::format("needs {}, which the server does not declare", *missing);
        }
        return result;
    }

    static Outcome outcome_of(const Check& check, const Played& played, bool not_declared) {
        const bool no_answer = played.sent && played.status == 0;
        const bool broke = no_answer || (played.status >= 500 && played.status != 501);
        if (not_declared) return broke ? Outcome::Undeclared : Outcome::Unsupported;
        const bool refused = played.status == 501 || played.status == 404 || played.status == 405;
        return refused && !check.needs.empty() ? Outcome::Undeclared : Outcome::Wrong;
    }

    [[nodiscard]] std::string detail_of(const Check& check, const Step& step,
                                        const Played& played) const {
        std::string text = check.section;
        for (const std::string& sentence : played.wrong) text += "\nwrong:    " + sentence;
        if (!played.sent) {
            if (!failed_fixture_.empty()) text += "\nbecause:  " + failed_fixture_;
            return text;
        }
        text += "\nsent:     " + indented(played.request);
        text += "\nanswered: " + indented(played.answer);
        std::string due = fmt::format("{}", join(step.statuses));
        for (const auto& [name, value] : step.expected_headers)
            due += fmt::format("\n{}: {}", name, value);
        if (!step.expected_body.empty()) due += "\n" + step.expected_body;
        return text + "\ndue:      " + indented(due);
    }

    static std::string join(const std::vector<std::string>& words) {
        std::string out;
        for (const std::string& word : words) out += (out.empty() ? "" : " or ") + word;
        return out;
    }

    void book_breaches(std::string_view id, const Played& played) {
        for (const std::string& breach : played.always) {
            const std::string rule = breach.substr(0, breach.find(':'));
            auto& [count, example] = breaches_[rule];
            if (count++ == 0)
                example = fmt::format("{} (in {})\nsent:     {}\nanswered: {}",
                                      breach.substr(rule.size() + 2), id, indented(played.request),
                                      indented(played.answer));
        }
    }

    /// The rules for every answer are checks too: one each, not one an answer.
    void add_always() {
        for (const AlwaysRule& rule : kAlways) {
            Result result{.id = fmt::format("{}.{}", kAlwaysArea, rule.name),
                          .area = std::string{kAlwaysArea},
                          .section = std::string{rule.section},
                          .title = std::string{rule.rule},
                          .outcome = Outcome::Passed,
                          .detail = {}};
            if (const auto found = breaches_.find(rule.name); found != breaches_.end()) {
                result.outcome = Outcome::Wrong;
                result.detail = fmt::format("{}\nwrong:    {} times, first: {}", rule.section,
                                            found->second.first, found->second.second);
            }
            report_.checks.push_back(std::move(result));
        }
    }

    const Options& options_;
    std::string base_path_;
    Ledger ledger_;
    const Progress& progress_;
    const Stop& stop_;
    Send send_;
    Headers headers_;
    Features features_;
    std::string run_ = "c" + random_short_id(7);
    std::string failed_fixture_;
    std::string silence_;  ///< what was said of the last request that had no answer
    std::map<std::string, std::pair<int, std::string>, std::less<>> breaches_;
    std::uint64_t total_ = 0;
    Report report_;
};

/// Waits as a server that answers 429 asks for, up to a minute at a time.
Send patient(net::HttpClient& client) {
    return [&client](const net::ClientRequest& request) {
        constexpr int kMostAttempts = 5;
        for (int attempt = 1;; ++attempt) {
            auto answer = client.send(request);
            int seconds = 0;
            if (!answer || answer->status != 429 || attempt == kMostAttempts ||
                !parse_number(answer->header("Retry-After"), seconds) || seconds > 60)
                return answer;
            std::this_thread::sleep_for(std::chrono::seconds{std::max(seconds, 0)});
        }
    };
}

bool is_scim(const std::expected<net::ClientResponse, std::string>& answer) {
    if (!answer || answer->status == 404) return false;
    const auto body = read_body(answer->body);
    return body && body->is_object();
}

}  // namespace

std::string_view word_of(Outcome outcome) {
    switch (outcome) {
        case Outcome::Passed:
            return "passed";
        case Outcome::Wrong:
            return "wrong";
        case Outcome::Undeclared:
            return "undeclared";
        case Outcome::Unsupported:
            return "unsupported";
    }
    return {};
}

std::size_t Report::count(Outcome outcome) const {
    return static_cast<std::size_t>(std::ranges::count(checks, outcome, &Result::outcome));
}

bool Report::good() const {
    return count(Outcome::Wrong) == 0 && count(Outcome::Undeclared) == 0 && !interrupted &&
           left_behind.empty();
}

Report play(const Suite& suite, const Options& options, const Send& send, const Progress& progress,
            const Stop& stop) {
    const auto began = std::chrono::steady_clock::now();
    Report report = Player(options, send, progress, stop).play(chosen(suite, options.only));
    report.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - began);
    return report;
}

std::expected<void, std::string> look_at(const Options& options, const Send& send) {
    const std::string base_path = net::Url::parse(options.base_url).value_or(net::Url{}).path;
    const auto ask = [&](std::string_view target) {
        net::ClientRequest request;
        request.target = base_path + std::string{target};
        request.headers.emplace_back("Accept", "application/scim+json");
        if (!options.authorization.empty())
            request.headers.emplace_back("Authorization", options.authorization.reveal());
        return send(request);
    };
    const auto config = ask("/ServiceProviderConfig");
    if (!config)
        return std::unexpected(fmt::format(
            "The server does not answer: {}. Check the URL, and that it is up.", config.error()));
    if (config->status / 100 == 3)
        return std::unexpected(
            fmt::format("The server sends to another place ({}): {}. Give that one.",
                        config->status, config->header("Location")));
    const auto users = ask("/Users?count=1");
    const int status = users ? users->status : 0;
    if (status == 401 || status == 403)
        return std::unexpected(fmt::format(
            "The server refuses the token ({}). Check it, and how it is sent (--auth).", status));
    if (!is_scim(config) && !is_scim(users))
        return std::unexpected(fmt::format(
            "There is no SCIM at this URL: /ServiceProviderConfig answers {} and /Users "
            "{}, neither with SCIM's JSON. The URL is what stands before /Users.",
            config->status, status));
    return {};
}

std::expected<Report, std::string> run(const Options& options, const Progress& progress,
                                       const Stop& stop) {
    const auto url = net::Url::parse(options.base_url);
    if (!url) return std::unexpected(fmt::format("no http or https URL: {}", options.base_url));
    TRY_ASSIGN(const Suite suite, options.checks_directory.empty()
                                      ? load(embedded_files())
                                      : load(std::filesystem::path{options.checks_directory}));
    net::HttpClient client(*url, options.timeout);
    const Send send = patient(client);
    TRY_VOID(look_at(options, send));
    return play(suite, options, send, progress, stop);
}

}  // namespace muster::conform

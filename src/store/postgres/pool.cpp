#include "store/postgres/pool.hpp"

#include <algorithm>
#include <iterator>
#include <ranges>

#include <boost/asio/async_result.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <fmt/format.h>

#include "base/result.hpp"

namespace muster::store::postgres {
namespace asio = boost::asio;
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kReadsTogether = 16;
constexpr std::size_t kShare = 4;  // of them, for each while there are several organisations
constexpr milliseconds kRemembered{1'000};  // so long there are, after one asked
constexpr milliseconds kLongestTaking{20};
constexpr milliseconds kConnectPatience{2'000};  // with one host
constexpr milliseconds kFirstPause{50};
constexpr milliseconds kLongestPause{500};

Query begin_reading() { return {.text = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"}; }

std::unexpected<Failure> give_up(std::string message) {
    return std::unexpected(Failure{{}, std::move(message), 0, true});
}

}  // namespace

Query begin_writing() {
    // What a write is checked by is looked at last, in a snapshot of that moment.
    return {.text = "BEGIN ISOLATION LEVEL READ COMMITTED"};
}
Query become(OrgKey org) { return {.text = fmt::format("SET LOCAL app.tenant = '{}'", org.value)}; }
Query commit() { return {.text = "COMMIT"}; }

Pool::Pool(Options options)
    : options_(std::move(options)),
      work_(asio::make_work_guard(context_)),
      random_(std::random_device{}()),
      lookups_(executor()),
      closing_(context_) {
    for (std::size_t i = 0; i <= options_.writers; ++i) {
        writers_.push_back(std::make_unique<Lane>(executor()));
    }
    for (std::size_t i = 0; i < options_.readers; ++i) {
        readers_.push_back(std::make_unique<Lane>(executor()));
    }
    thread_ = std::thread([this] { context_.run(); });
}

Pool::~Pool() { stop(); }

void Pool::finish_by(Instant last) {
    asio::post(context_, [this, last] {
        last_ = last;
        closing_.expires_at(last);
        closing_.async_wait([this](boost::system::error_code ec) {
            if (!ec) close_all();
        });
    });
}

void Pool::stop() {
    if (!thread_.joinable()) return;
    asio::post(context_, [this] {
        closing_.cancel();
        close_all();
        work_.reset();
    });
    thread_.join();
}

void Pool::close_all() {
    for (auto* lanes : {&writers_, &readers_}) {
        for (const auto& lane : *lanes) lane->connection.close();
    }
}

void Pool::distrust() {
    for (auto* lanes : {&writers_, &readers_}) {
        for (const auto& lane : *lanes) {
            if (!lane->busy) lane->connection.close();
        }
    }
}

milliseconds Pool::jittered(milliseconds mean) {
    const double factor = std::uniform_real_distribution<double>(0.5, 1.5)(random_);
    return milliseconds(static_cast<std::int64_t>(static_cast<double>(mean.count()) * factor));
}

// ---- writing ---------------------------------------------------------------------------------

Pool::Lease::~Lease() {
    if (lane_ == nullptr) return;
    if (!done_) lane_->connection.close();
    lane_->busy = !lane_->waiting.empty();
    if (!lane_->busy) return;
    // The connection goes to the next in line without becoming free in between.
    const auto next = std::move(lane_->waiting.front());
    lane_->waiting.pop_front();
    next->cancel();
}

Task<Outcome<Pool::Lease>> Pool::acquire(std::size_t index, Instant deadline) {
    Lane& lane = *writers_[index];
    if (lane.busy) {
        const auto turn = std::make_shared<asio::steady_timer>(context_, deadline);
        lane.waiting.push_back(turn);
        boost::system::error_code ec;
        co_await turn->async_wait(asio::redirect_error(asio::use_awaitable, ec));
        // Whoever is still in line was woken by the clock.
        if (std::erase(lane.waiting, turn) > 0) co_return give_up("no connection became free");
    }
    lane.busy = true;
    Lease lease(lane);
    CO_TRY_VOID(co_await open(lane, deadline));
    co_return lease;
}

Task<Outcome<void>> Pool::open(Lane& lane, Instant deadline) {
    asio::steady_timer timer(context_);
    milliseconds pause{0};
    for (std::size_t attempts = 1;; ++attempts) {
        deadline = std::min(deadline, last_);
        if (steady_clock::now() >= deadline) co_return give_up("PostgreSQL cannot be reached");
        if (lane.connection.usable()) co_return Outcome<void>();
        const std::size_t turn = turn_;
        const auto connected = co_await connect(lane, turn, deadline);
        if (connected) co_return Outcome<void>();
        // The next one, for all who come; a pause when each had its turn.
        if (turn_ == turn) ++turn_;
        if (attempts % options_.hosts.size() != 0) continue;
        pause = std::clamp(pause * 2, kFirstPause, kLongestPause);
        timer.expires_at(std::min(deadline, steady_clock::now() + jittered(pause)));
        co_await timer.async_wait(asio::use_awaitable);
    }
}

Task<Outcome<void>> Pool::connect(Lane& lane, std::size_t turn, Instant deadline) {
    const Instant until = std::min(deadline, steady_clock::now() + kConnectPatience);
    const Host& host = options_.hosts[turn % options_.hosts.size()];
    std::string conninfo = host.conninfo;
    if (!host.name.empty()) {
        const auto addresses = co_await lookups_.addresses(host.name, until);
        if (addresses.empty()) co_return give_up("the name of PostgreSQL's host is not known");
        const std::size_t round = turn / options_.hosts.size();
        conninfo += "hostaddr='" + addresses[round % addresses.size()] + "'";
    }
    co_return co_await lane.connection.connect(conninfo, until);
}

// ---- reading ---------------------------------------------------------------------------------

Task<Outcome<std::vector<Rows>>> Pool::read(OrgKey org, std::vector<Query> queries) {
    auto initiate = [this, org](auto handler, std::vector<Query> what) {
        const asio::any_io_executor where = busy_executor_of(handler);
        Read read{org,
                  std::move(what),
                  steady_clock::now() + options_.patience,
                  {where, std::move(handler)}};
        bool first = false;
        {
            const std::scoped_lock lock(mutex_);
            first = arrived_.empty();
            arrived_.push_back(std::move(read));
        }
        if (first) asio::post(context_, [this] { accept_reads(); });
    };
    return asio::async_initiate<const asio::use_awaitable_t<>, void(Outcome<std::vector<Rows>>)>(
        std::move(initiate), asio::use_awaitable, std::move(queries));
}

void Pool::accept_reads() {
    std::vector<Read> arrived;
    {
        const std::scoped_lock lock(mutex_);
        arrived.swap(arrived_);
    }
    Reads surplus;
    for (Read& read : arrived) {
        const OrgKey org = read.org;
        if (org && std::exchange(latest_, org) != org) {
            several_until_ = steady_clock::now() + kRemembered;
        }
        if (reads_.has_room(org)) {
            reads_.add(org, std::move(read));
        } else {
            surplus.push_back(std::move(read));
        }
    }
    refuse(surplus, "too many calls wait for PostgreSQL");
    wake_reader();
}

/// One reader is woken at a time, so that what arrives meanwhile travels with it.
void Pool::wake_reader() {
    if (waking_ || reads_.empty()) return;
    const auto idle = std::ranges::find_if(readers_, [](const auto& lane) { return !lane->busy; });
    if (idle == readers_.end()) return;
    (*idle)->busy = true;
    waking_ = true;
    asio::co_spawn(context_, serve(**idle), asio::detached);
}

Task<void> Pool::serve(Lane& lane) {
    while (!reads_.empty()) {
        std::vector<Reads> groups = take_reads();
        waking_ = false;
        wake_reader();
        if (groups.empty()) continue;
        try {
            co_await run(lane, groups);
        } catch (const std::exception& error) {
            lane.connection.close();
            for (Reads& unanswered : groups) refuse(unanswered, error.what());
        }
        if (lane.untaken) co_await until_taken(lane);
    }
    waking_ = false;
    lane.busy = false;
}

/// One read of each organisation after the other, as long as there is room: for few of each while
/// there are several, so that no connection is busy for long with one organisation's.
std::vector<Pool::Reads> Pool::take_reads() {
    const std::size_t share = several() ? kShare : kReadsTogether;
    std::vector<Reads> groups;
    Reads late;
    for (std::size_t taken = 0; taken < kReadsTogether && !reads_.empty();) {
        const OrgKey org = reads_.next();
        auto group = std::ranges::find(groups, org, [](const Reads& one) { return one[0].org; });
        if (group != groups.end() && group->size() == share) break;
        reads_.call();
        Read read = reads_.take(org);
        reads_.leave(org);
        if (is_too_late_for(read.deadline)) {
            late.push_back(std::move(read));
            continue;
        }
        if (group == groups.end()) group = groups.emplace(group);
        group->push_back(std::move(read));
        ++taken;
    }
    refuse(late, "PostgreSQL did not answer in time");
    // Who asks for little is answered first.
    std::ranges::sort(groups, {}, &Reads::size);
    return groups;
}

/// Who asked may be slower than PostgreSQL. What it was answered waits there in the order of the
/// answers; here organisations take turns, so the next are not asked for before.
Task<void> Pool::until_taken(Lane& lane) {
    const std::weak_ptr<Lane> untaken = std::exchange(lane.untaken, nullptr);
    if (untaken.expired()) co_return;
    lane.taken.expires_after(kLongestTaking);
    boost::system::error_code all_taken;
    co_await lane.taken.async_wait(asio::redirect_error(asio::use_awaitable, all_taken));
}

/// Takes those out of `groups` that it answers.
Task<void> Pool::run(Lane& lane, std::vector<Reads>& groups) {
    if (several()) {
        lane.untaken = std::shared_ptr<Lane>(
            &lane, [this](Lane* of) { asio::post(context_, [of] { of->taken.cancel(); }); });
    }
    // They wait for a connection until the first of them has to be answered. Once they are asked
    // they have the time of the last: that of another being up costs nobody the connection.
    Instant oldest = Instant::max();
    Instant youngest = Instant::min();
    // A transaction is ended by what comes next, so that one that failed is over then as well.
    std::vector<std::vector<Query>> stretches;
    for (Reads& reads : groups) {
        std::vector<Query>& stretch = stretches.emplace_back();
        if (stretches.size() > 1) stretch.push_back(commit());
        stretch.push_back(begin_reading());
        stretch.push_back(become(reads.front().org));
        for (Read& read : reads) {
            ++read.attempts;
            oldest = std::min(oldest, read.deadline);
            youngest = std::max(youngest, read.deadline);
            stretch.insert(stretch.end(), read.queries.begin(), read.queries.end());
        }
    }
    stretches.push_back({commit()});

    std::size_t settled = 0;
    const Connection::Taker take = [&](std::size_t i, Outcome<std::vector<Rows>> outcome) {
        if (i == groups.size()) return;
        settled = i + 1;
        settle(std::move(groups[i]), i == 0 ? 2 : 3, std::move(outcome), lane.untaken);
    };
    if (co_await open(lane, oldest)) {
        static_cast<void>(co_await lane.connection.exchange_each(stretches, youngest, take));
        if (!lane.connection.is_open()) distrust();
    }
    for (std::size_t i = settled; i < groups.size(); ++i) {
        const bool at_once = groups[i].front().attempts == 1;
        repeat(std::move(groups[i]), at_once);
    }
}

void Pool::settle(Reads reads, std::size_t head, Outcome<std::vector<Rows>> outcome,
                  const std::shared_ptr<Lane>& untaken) {
    if (!outcome && outcome.error().passing()) return repeat(std::move(reads), false);
    std::vector<Outcome<std::vector<Rows>>> answers;
    if (!outcome) {
        // The one that failed is answered; what the server skipped because of it comes next.
        std::size_t end = head;
        auto failed = std::ranges::find_if(reads, [&](const Read& read) {
            end += read.queries.size();
            return outcome.error().at < end;
        });
        if (failed == reads.end()) failed = reads.begin();
        Reads one;
        one.push_back(std::move(*failed));
        reads.erase(failed);
        answers.emplace_back(std::unexpected(std::move(outcome).error()));
        answer(one, std::move(answers));
        return repeat(std::move(reads), true);
    }
    auto row = std::next(outcome->begin(), static_cast<std::ptrdiff_t>(head));
    for (const Read& read : reads) {
        const auto end = std::next(row, static_cast<std::ptrdiff_t>(read.queries.size()));
        answers.emplace_back(
            std::vector<Rows>(std::make_move_iterator(row), std::make_move_iterator(end)));
        row = end;
    }
    answer(reads, std::move(answers), untaken);
}

/// A read may be repeated; its deadline ends that.
void Pool::repeat(Reads reads, bool at_once) {
    if (reads.empty()) return;
    if (at_once) return wait_again(std::move(reads));
    auto later = [](Pool& pool, Reads reads) -> Task<void> {
        asio::steady_timer pause(pool.context_, pool.jittered(kFirstPause));
        co_await pause.async_wait(asio::use_awaitable);
        pool.wait_again(std::move(reads));
    };
    asio::co_spawn(context_, later(*this, std::move(reads)), asio::detached);
}

void Pool::wait_again(Reads reads) {
    Reads late;
    // In front of what came later, in their order.
    for (Read& read : std::views::reverse(reads)) {
        if (is_too_late_for(read.deadline)) {
            late.push_back(std::move(read));
        } else {
            const OrgKey org = read.org;
            reads_.put_back(org, std::move(read));
        }
    }
    refuse(late, "PostgreSQL cannot be reached");
    wake_reader();
}

void Pool::refuse(Reads& reads, const char* why) {
    std::vector<Outcome<std::vector<Rows>>> answers(reads.size());
    for (auto& one : answers) one = give_up(why);
    answer(reads, std::move(answers));
}

void Pool::answer(Reads& reads, std::vector<Outcome<std::vector<Rows>>> answers,
                  const std::shared_ptr<Lane>& untaken) {
    std::vector<Resumption> resumptions;
    resumptions.reserve(reads.size());
    for (std::size_t i = 0; i < reads.size(); ++i) {
        auto& waiter = reads[i].waiter;
        auto run = [resume = std::move(waiter.resume), outcome = std::move(answers[i]),
                    untaken]() mutable { resume(std::move(outcome)); };
        resumptions.push_back({std::move(waiter.executor), std::move(run)});
    }
    resume(std::move(resumptions));
}

}  // namespace muster::store::postgres

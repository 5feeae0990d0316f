#include "store/postgres/pool.hpp"

#include <algorithm>
#include <iterator>

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
constexpr std::size_t kMostWaiting = 20'000;
constexpr milliseconds kConnectPatience{2'000};  // with one host
constexpr milliseconds kFirstPause{50};
constexpr milliseconds kLongestPause{500};

Query begin_reading() { return {.text = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"}; }

std::unexpected<Failure> give_up(std::string message) {
    return std::unexpected(Failure{{}, std::move(message), 0, true});
}

}  // namespace

Query begin_writing() { return {.text = "BEGIN"}; }
Query become(OrgKey org) { return {.text = fmt::format("SET LOCAL app.tenant = '{}'", org.value)}; }
Query commit() { return {.text = "COMMIT"}; }

Pool::Pool(Options options)
    : options_(std::move(options)),
      work_(asio::make_work_guard(context_)),
      random_(std::random_device{}()),
      lookups_(executor()),
      closing_(context_) {
    for (std::size_t i = 0; i < options_.writers; ++i) {
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
        if (waiting_ >= kMostWaiting) co_return give_up("too many calls wait for PostgreSQL");
        const auto turn = std::make_shared<asio::steady_timer>(context_, deadline);
        lane.waiting.push_back(turn);
        ++waiting_;
        boost::system::error_code ec;
        co_await turn->async_wait(asio::redirect_error(asio::use_awaitable, ec));
        --waiting_;
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
    if (reads_.size() + arrived.size() > kMostWaiting) {
        answer(arrived, std::vector<Outcome<std::vector<Rows>>>());
        return;
    }
    std::ranges::move(arrived, std::back_inserter(reads_));
    waiting_ += arrived.size();
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
        const auto count = static_cast<std::ptrdiff_t>(std::min(reads_.size(), kReadsTogether));
        std::vector<Read> reads(std::make_move_iterator(reads_.begin()),
                                std::make_move_iterator(reads_.begin() + count));
        reads_.erase(reads_.begin(), reads_.begin() + count);
        waiting_ -= reads.size();
        waking_ = false;
        wake_reader();
        co_await run(lane, std::move(reads));
    }
    waking_ = false;
    lane.busy = false;
}

Task<void> Pool::run(Lane& lane, std::vector<Read> reads) {
    // Reads of one organisation stand together: they share a transaction.
    std::ranges::sort(reads, {}, &Read::org);
    std::vector<Outcome<std::vector<Rows>>> answers;
    Instant deadline = reads.front().deadline;
    for (const Read& read : reads) deadline = std::min(deadline, read.deadline);

    std::vector<Query> queries;
    for (std::size_t i = 0; i < reads.size(); ++i) {
        if (i == 0 || reads[i].org != reads[i - 1].org) {
            if (i > 0) queries.push_back(commit());
            queries.push_back(begin_reading());
            queries.push_back(become(reads[i].org));
        }
        queries.insert(queries.end(), reads[i].queries.begin(), reads[i].queries.end());
    }
    queries.push_back(commit());

    if (co_await open(lane, deadline)) {
        auto rows = co_await lane.connection.exchange(queries, deadline);
        if (rows) {
            std::size_t at = 0;
            for (std::size_t i = 0; i < reads.size(); ++i) {
                if (i == 0 || reads[i].org != reads[i - 1].org) at += i == 0 ? 2 : 3;
                std::vector<Rows> own;
                for (std::size_t q = 0; q < reads[i].queries.size(); ++q) {
                    own.push_back(std::move((*rows)[at++]));
                }
                answers.emplace_back(std::move(own));
            }
            answer(reads, std::move(answers));
            co_return;
        }
        if (!rows.error().lost) {
            static_cast<void>(co_await lane.connection.recover(deadline, true));
        }
        if (!lane.connection.is_open()) distrust();
    }
    // Something went wrong with one of them or with the connection: each is tried by itself.
    for (const Read& read : reads) answers.push_back(co_await run_alone(lane, read));
    answer(reads, std::move(answers));
}

Task<Outcome<std::vector<Rows>>> Pool::run_alone(Lane& lane, const Read& read) {
    std::vector<Query> queries = {begin_reading(), become(read.org)};
    queries.insert(queries.end(), read.queries.begin(), read.queries.end());
    queries.push_back(commit());
    asio::steady_timer pause(context_);
    for (;;) {
        CO_TRY_VOID(co_await open(lane, read.deadline));
        auto rows = co_await lane.connection.exchange(queries, read.deadline);
        if (rows) {
            rows->erase(rows->begin(), rows->begin() + 2);
            rows->pop_back();
            co_return std::move(rows);
        }
        // A read may be repeated; the deadline ends that.
        if (rows.error().lost) continue;
        static_cast<void>(co_await lane.connection.recover(read.deadline, true));
        if (!rows.error().passing() || steady_clock::now() >= read.deadline) {
            co_return std::unexpected(std::move(rows).error());
        }
        pause.expires_at(std::min(read.deadline, steady_clock::now() + jittered(kFirstPause)));
        co_await pause.async_wait(asio::use_awaitable);
    }
}

void Pool::answer(std::vector<Read>& reads, std::vector<Outcome<std::vector<Rows>>> answers) {
    std::vector<Resumption> resumptions;
    resumptions.reserve(reads.size());
    for (std::size_t i = 0; i < reads.size(); ++i) {
        auto& waiter = reads[i].waiter;
        Outcome<std::vector<Rows>> outcome = i < answers.size()
                                                 ? std::move(answers[i])
                                                 : give_up("too many calls wait for PostgreSQL");
        auto run = [resume = std::move(waiter.resume), outcome = std::move(outcome)]() mutable {
            resume(std::move(outcome));
        };
        resumptions.push_back({std::move(waiter.executor), std::move(run)});
    }
    resume(std::move(resumptions));
}

}  // namespace muster::store::postgres

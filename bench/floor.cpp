// The floor: what HTTP and SQLite cost without a product round them.
//   muster_bench_floor DATABASE PAGE_FILE THREADS
// DATABASE is a copy of Muster's own, so tables, indices and sizes are the same.
//   GET  /read/ID    one point read, returns the document
//   GET  /page/ID    one point read, returns the bytes of PAGE_FILE
//   GET  /static     no read, returns the bytes of PAGE_FILE
//   POST /create     the rows of a created user, one durable group commit, 201
//   POST /update/ID  the rows of a changed user, 200
//   POST /member     one membership row and the group's version, 204
// Beast as its examples use it: request_parser, http::response, one coroutine a connection.

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <fstream>
#include <functional>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <sqlite3.h>

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

class Connection {
  public:
    explicit Connection(const std::string& file) {
        sqlite3_open_v2(file.c_str(), &handle_, SQLITE_OPEN_READWRITE, nullptr);
        run("PRAGMA synchronous=EXTRA");
        run("PRAGMA journal_mode=WAL");
        run("PRAGMA synchronous=FULL");
        run("PRAGMA cache_size=-16384");
        sqlite3_stmt* statement = prepare("SELECT key FROM organisation");
        if (sqlite3_step(statement) == SQLITE_ROW) {
            org_ = std::to_string(sqlite3_column_int64(statement, 0));
        }
        sqlite3_finalize(statement);
    }
    void run(const char* sql) {
        if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
            throw std::runtime_error(sqlite3_errmsg(handle_));
        }
    }
    /// `sql` may name the organisation as ORG.
    sqlite3_stmt* prepare(std::string sql) {
        if (const auto at = sql.find("ORG"); at != std::string::npos) sql.replace(at, 3, org_);
        sqlite3_stmt* statement = nullptr;
        if (sqlite3_prepare_v3(handle_, sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &statement,
                               nullptr) != SQLITE_OK) {
            throw std::runtime_error(sqlite3_errmsg(handle_));
        }
        return statement;
    }

  private:
    sqlite3* handle_ = nullptr;
    std::string org_;
};

void bind(sqlite3_stmt* statement, int index, const std::string& text) {
    sqlite3_bind_text(statement, index, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
}

void finish(sqlite3_stmt* statement) {
    sqlite3_step(statement);
    sqlite3_reset(statement);
}

struct Write {
    enum class Kind { Create, Update, Member } kind = Kind::Create;
    std::string id;
    std::string body;
    std::function<void()> done;
};

/// One thread, natural batching, one durable commit a batch.
class Writer {
  public:
    explicit Writer(const std::string& file) : db_(file), thread_([this] { loop(); }) {
        thread_.detach();
    }

    void add(Write write) {
        const std::lock_guard lock(mutex_);
        queue_.push_back(std::move(write));
        wake_.notify_one();
    }

  private:
    void loop() {
        sqlite3_stmt* resource = db_.prepare(
            "INSERT INTO resource (rid, org, type, id, version, created, modified, active, source, "
            "display, document) VALUES (?1, ORG, 'User', ?2, 1, 1, 1, 1, 1, ?2, ?3)");
        sqlite3_stmt* uniq =
            db_.prepare("INSERT INTO uniq VALUES (ORG, 'User', 'username', ?1, ?2)");
        sqlite3_stmt* attr = db_.prepare("INSERT INTO attr VALUES (ORG, 'User', ?3, ?1, ?2)");
        sqlite3_stmt* counter =
            db_.prepare("UPDATE counter SET live = live + 1 WHERE org = ORG AND type = 'User'");
        sqlite3_stmt* update = db_.prepare(
            "UPDATE resource SET version = version + 1, modified = modified + 1, document = ?2 "
            "WHERE org = ORG AND id = ?1");
        sqlite3_stmt* member =
            db_.prepare("INSERT INTO member (org, grp, member) VALUES (ORG, 1, ?1)");
        sqlite3_stmt* group = db_.prepare(
            "UPDATE resource SET version = version + 1 WHERE rid = (SELECT min(rid) FROM "
            "resource)");
        sqlite3_stmt* log = db_.prepare(
            "INSERT INTO log_segment (org, connector, first_id, last_id, records, failures, data) "
            "VALUES (1, 1, ?1, ?1, ?2, 0, ?3)");
        std::int64_t rid = std::int64_t{1} << 62;
        while (true) {
            std::vector<Write> batch;
            {
                std::unique_lock lock(mutex_);
                wake_.wait(lock, [this] { return !queue_.empty(); });
                batch.swap(queue_);
            }
            db_.run("BEGIN IMMEDIATE");
            std::string lines;
            for (const auto& write : batch) {
                ++rid;
                const auto key = "floor" + std::to_string(rid);
                if (write.kind == Write::Kind::Create) {
                    sqlite3_bind_int64(resource, 1, rid);
                    bind(resource, 2, key);
                    bind(resource, 3, write.body);
                    finish(resource);
                    bind(uniq, 1, key);
                    sqlite3_bind_int64(uniq, 2, rid);
                    finish(uniq);
                    for (const char* attribute : {"displayname", "emails.value", "externalid"}) {
                        bind(attr, 1, key);
                        sqlite3_bind_int64(attr, 2, rid);
                        sqlite3_bind_text(attr, 3, attribute, -1, SQLITE_STATIC);
                        finish(attr);
                    }
                    finish(counter);
                } else if (write.kind == Write::Kind::Update) {
                    bind(update, 1, write.id);
                    bind(update, 2, write.body);
                    finish(update);
                } else {
                    sqlite3_bind_int64(member, 1, rid);
                    finish(member);
                    finish(group);
                }
                // A record of the request and its answer.
                lines += write.body;
                lines += write.body;
            }
            sqlite3_bind_int64(log, 1, rid);
            sqlite3_bind_int64(log, 2, static_cast<std::int64_t>(batch.size()));
            sqlite3_bind_blob(log, 3, lines.data(), static_cast<int>(lines.size()), SQLITE_STATIC);
            finish(log);
            db_.run("COMMIT");
            for (auto& write : batch) write.done();
        }
    }

    Connection db_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::vector<Write> queue_;
    std::thread thread_;
};

struct Shared {
    std::string database;
    std::string page;
    Writer writer;
};

asio::awaitable<void> durable(Shared& shared, Write write) {
    auto initiate = [&shared](auto handler, Write what) {
        auto executor = asio::get_associated_executor(handler);
        auto kept = std::make_shared<decltype(handler)>(std::move(handler));
        what.done = [kept, executor] { asio::post(executor, [kept] { std::move (*kept)(); }); };
        shared.writer.add(std::move(what));
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(
        std::move(initiate), asio::use_awaitable, std::move(write));
}

using Reply = http::response<http::string_body>;

asio::awaitable<void> serve(tcp::socket socket, Shared& shared, sqlite3_stmt* read) {
    boost::beast::flat_buffer buffer;
    while (true) {
        http::request_parser<http::string_body> parser;
        parser.body_limit(8U << 20);
        const auto [read_error, got] =
            co_await http::async_read(socket, buffer, parser, asio::as_tuple(asio::use_awaitable));
        if (read_error) break;
        const auto& request = parser.get();
        const std::string target{request.target()};
        const auto id = target.substr(target.rfind('/') + 1);
        Reply reply{http::status::ok, request.version()};
        reply.set(http::field::content_type, "application/scim+json");
        if (target.starts_with("/read/") || target.starts_with("/page/")) {
            bind(read, 1, id);
            if (sqlite3_step(read) == SQLITE_ROW) {
                const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(read, 0));
                reply.body().assign(text, static_cast<std::size_t>(sqlite3_column_bytes(read, 0)));
            } else {
                reply.result(http::status::not_found);
            }
            sqlite3_reset(read);
            if (target.starts_with("/page/")) reply.body() = shared.page;
        } else if (request.method() == http::verb::get) {
            reply.body() = shared.page;
        } else {
            const auto kind = target == "/create"   ? Write::Kind::Create
                              : target == "/member" ? Write::Kind::Member
                                                    : Write::Kind::Update;
            Write write{.kind = kind, .id = id, .body = request.body(), .done = {}};
            co_await durable(shared, std::move(write));
            if (kind == Write::Kind::Member) {
                reply.result(http::status::no_content);
            } else {
                if (kind == Write::Kind::Create) reply.result(http::status::created);
                reply.body() = request.body();
            }
        }
        reply.prepare_payload();
        const auto [write_error, put] =
            co_await http::async_write(socket, reply, asio::as_tuple(asio::use_awaitable));
        if (write_error) break;
    }
}

asio::awaitable<void> accept(tcp::acceptor& acceptor, std::vector<asio::io_context>& loops,
                             Shared& shared, std::vector<sqlite3_stmt*>& reads) {
    for (std::size_t next = 0;; next = (next + 1) % loops.size()) {
        tcp::socket socket(loops[next]);
        co_await acceptor.async_accept(socket, asio::use_awaitable);
        socket.set_option(tcp::no_delay(true));
        asio::co_spawn(loops[next], serve(std::move(socket), shared, reads[next]), asio::detached);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) return 2;
    std::ifstream file(argv[2]);
    std::stringstream page;
    page << file.rdbuf();
    Shared shared{argv[1], page.str(), Writer(argv[1])};
    const auto threads = static_cast<std::size_t>(std::stoi(argv[3]));
    std::vector<asio::io_context> loops(threads);
    std::vector<sqlite3_stmt*> reads;
    std::vector<std::unique_ptr<Connection>> connections;
    for (std::size_t i = 0; i < threads; ++i) {
        connections.push_back(std::make_unique<Connection>(argv[1]));
        reads.push_back(connections.back()->prepare(
            "SELECT document FROM resource WHERE org = ORG AND id = ?1"));
    }
    asio::io_context acceptor_loop(1);
    tcp::acceptor acceptor(acceptor_loop, {asio::ip::address_v4::loopback(), 0});
    asio::co_spawn(acceptor_loop, accept(acceptor, loops, shared, reads), asio::detached);
    std::vector<std::thread> running;
    for (auto& loop : loops) {
        running.emplace_back([&loop] {
            auto work = asio::make_work_guard(loop);
            loop.run();
        });
    }
    std::printf("{\"event\":\"ready\",\"listen\":\"127.0.0.1:%u\"}\n",
                unsigned{acceptor.local_endpoint().port()});
    std::fflush(stdout);
    acceptor_loop.run();
}

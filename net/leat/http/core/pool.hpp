// SPDX-License-Identifier: MIT
// connection_pool: the client's connections, by place ("http://example.org:80"). It bounds how many are open
// to one place, keeps those that can be used again, and gives them to requests, the most recently used first;
// of HTTP/2, to many requests at once.
// Invariant: every open connection is idle in its place, or its watch is ending, or it belongs to one lease,
// or it is shared. A lease that is destroyed, also by cancellation, closes its connection, or ends its
// request on a shared one, and gives its slot or its seat to the request that has waited longest.
//
// Theory of operation. Bytes on an idle connection answer no request: they are an unexpected answer, the rest
// of a body that should not be there, or the end. So a task, the watch, reads from each idle connection, and
// the connection is closed as soon as it gets anything. The watch owns the connection. A lease asks it to
// end; then the connection goes to the request that has waited longest. Bytes may have come since the last
// turn, so the socket is checked once more before it is used. One timer closes the idle connections whose
// time is over. The watches and the timer are bystanders: they do not hide a deadlock from run().
//
// A shared connection is driven by a task of its own, in place of the watch, as long as it is open, and is
// idle while it has no requests; but while some wait for what its server allows, run() waits for that server,
// too. To a place that may share, one connection is made first, and decides:
// further requests wait for what it turns out to be. If it is HTTP/2 they go on it, as many at once as the
// server allows, else they open their own. If it fails each opens its own, too, so that nobody waits for a
// dead host more than once. A shared connection that takes no further requests keeps its slot until it has
// ended.
#pragma once

#include <leat/core/awaited.hpp>
#include <leat/core/bystander.hpp>
#include <leat/core/list.hpp>
#include <leat/core/scheduler.hpp>
#include <leat/core/wait.hpp>
#include <leat/core/wait_queue.hpp>
#include <leat/http/core/connection.hpp>
#include <leat/http/core/shared_connection.hpp>
#include <leat/spawn.hpp>

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace leat::http::detail {

class connection_pool;
class kept_connection;

struct pool_limits {
    std::size_t per_place;  // open connections, idle ones included
    std::size_t idle;       // kept in all
    duration idle_time;     // for so long
};

struct pool_place {
    using position = std::map<std::string, pool_place>::iterator;

    position here;
    std::size_t open = 0;
    std::vector<kept_connection*> idle;  // the most recently used last; not the shared one
    kept_connection* shared = nullptr;   // takes further requests
    bool may_share = false;
    bool deciding = false;  // one lease opens the first connection
    bool decided = false;   // requests open connections of their own
    list<wait> waiting;

    // The shared connection is no bystander while requests wait for its seats.
    void tell_shared() noexcept;
};

// The right to one connection, and the connection once there is one; or a seat on a shared one.
class connection_lease {
public:
    connection_lease() noexcept = default;
    connection_lease(connection_pool& pool, pool_place& place, std::unique_ptr<client_connection> connection,
                     bool decides) noexcept
        : pool_(&pool), place_(&place), connection_(std::move(connection)), decides_(decides) {}
    // Throws std::bad_alloc.
    connection_lease(connection_pool& pool, pool_place& place, connection_seat seat)
        : pool_(&pool), place_(&place), seat_(std::move(seat)), exchange_(seat_->begin()) {}
    connection_lease(connection_lease&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)),
          place_(other.place_),
          connection_(std::move(other.connection_)),
          seat_(std::move(other.seat_)),
          exchange_(std::move(other.exchange_)),
          decides_(std::exchange(other.decides_, false)) {}
    connection_lease& operator=(connection_lease&& other) noexcept {
        drop();
        pool_ = std::exchange(other.pool_, nullptr);
        place_ = other.place_;
        connection_ = std::move(other.connection_);
        seat_ = std::move(other.seat_);
        exchange_ = std::move(other.exchange_);
        decides_ = std::exchange(other.decides_, false);
        return *this;
    }
    ~connection_lease() { drop(); }

    // It was given, and has not ended.
    [[nodiscard]] bool is_held() const noexcept { return pool_ != nullptr; }
    [[nodiscard]] bool has_connection() const noexcept { return is_shared() || connection_ != nullptr; }
    [[nodiscard]] bool is_shared() const noexcept { return exchange_ != nullptr; }
    client_exchange& operator*() const noexcept { return is_shared() ? *exchange_ : *connection_; }
    client_exchange* operator->() const noexcept { return &**this; }
    // That of HTTP/1.1, which is not shared.
    [[nodiscard]] client_connection& own() const noexcept { return *connection_; }

    // A new connection: of HTTP/1.1, and this lease's; or of HTTP/2, and shared from now on. Throws
    // std::bad_alloc.
    void put(any_stream stream);
    void share(any_stream stream, bool secure);
    // Closes the connection, which is not shared, and keeps the right to another.
    void close_connection() noexcept { connection_.reset(); }
    // Ends the lease: the connection goes back to the pool if it can be used again.
    void drop() noexcept;

private:
    connection_pool* pool_ = nullptr;
    pool_place* place_ = nullptr;
    std::unique_ptr<client_connection> connection_;
    connection_seat seat_;
    std::unique_ptr<client_exchange> exchange_;  // by the seat
    bool decides_ = false;                       // what the connections of the place are
};

// A connection that no lease has, with the task that watches it, or drives it, and owns this. Linked in one
// of its pool's lists: idle_, on_their_way_ to a lease, or, when it was given up, closing_; unless it is
// shared by requests.
class kept_connection final : public list_link, shared_connection::seat_keeper {
public:
    kept_connection(pool_place& place, std::unique_ptr<client_connection> held) noexcept
        : place_(&place), connection_(std::move(held)) {}
    kept_connection(pool_place& place, leat::detail::reference<shared_connection> held) noexcept
        : place_(&place), shared_(std::move(held)) {}
    kept_connection(const kept_connection&) = delete;
    kept_connection& operator=(const kept_connection&) = delete;
    ~kept_connection();  // the task has ended, in whatever way

    [[nodiscard]] task<> run();

private:
    friend connection_pool;
    friend pool_place;
    void seats_changed() noexcept override;

    connection_pool* pool_ = nullptr;  // null: no pool is told of its end
    pool_place* place_;                // null: given up
    std::unique_ptr<client_connection> connection_;
    leat::detail::reference<shared_connection> shared_;
    handle<> task_;
    time_point since_;
    bool begun_ = false;      // the task has taken its first step
    bool asked_for_ = false;  // it ends, and then goes to a lease
};

// Outlives its leases. Used on one scheduler at a time.
class connection_pool {
public:
    explicit connection_pool(pool_limits limits) noexcept : limits_(limits) {}
    connection_pool(const connection_pool&) = delete;
    connection_pool& operator=(const connection_pool&) = delete;
    ~connection_pool();

    class lease_awaiter;
    // co_await gives a connection_lease for `place`, with an idle connection if there is one, or with a seat.
    // Waits while as many as allowed are in use, or while another one finds out whether connections to it can
    // be shared, if they may. Cancelled: nothing was taken.
    [[nodiscard]] lease_awaiter lease(const std::string& place, bool may_share = false);

    class shortage;

    [[nodiscard]] std::size_t idle() const noexcept { return idle_count_; }
    // Closes the idle connections; their descriptors within a turn.
    void close_idle() noexcept;

private:
    friend connection_lease;
    friend kept_connection;

    struct expiry_timer : leat::detail::bystander_timer {
        explicit expiry_timer(connection_pool& of) noexcept;
        connection_pool& pool;
    };

    [[nodiscard]] bool is_fresh(const kept_connection& idle) const noexcept;
    [[nodiscard]] kept_connection* freshest(pool_place& place) noexcept;
    [[nodiscard]] bool grant(lease_awaiter& to) noexcept;
    void serve_waiting(pool_place& place) noexcept;
    void give_back(pool_place& place, std::unique_ptr<client_connection> connection) noexcept;
    void end_decision(pool_place& place, bool decided) noexcept;
    void keep(pool_place& place, std::unique_ptr<client_connection> connection);
    [[nodiscard]] bool share(pool_place& place, const leat::detail::reference<shared_connection>& made);
    kept_connection& begin_task(std::unique_ptr<kept_connection> owned);
    void expect_idle();
    void become_idle(kept_connection& kept) noexcept;
    [[nodiscard]] bool try_become_idle(kept_connection& shared) noexcept;
    void leave_idle(kept_connection& one) noexcept;
    void seats_changed(kept_connection& shared) noexcept;
    void task_ended(kept_connection& ended) noexcept;
    void slot_freed(pool_place& place) noexcept;
    void close(kept_connection& unwanted) noexcept;
    void close_oldest() noexcept;
    void close_expired() noexcept;
    void forget_if_unused(pool_place& place) noexcept;
    void descriptor_freed() noexcept { waiting_for_descriptors_.wake_one(); }

    pool_limits limits_;
    std::map<std::string, pool_place> places_;
    list<kept_connection> idle_;  // the oldest first
    std::size_t idle_count_ = 0;
    list<kept_connection> on_their_way_;  // their watches are about to end
    list<kept_connection> closing_;       // the same, of their tasks
    expiry_timer expiry_{*this};          // armed while some are idle
    std::size_t short_ = 0;               // leases that found no descriptor for their connection
    leat::detail::wait_queue waiting_for_descriptors_;
};

// A lease that finds no descriptor for its connection (EMFILE, ENFILE) has one of these while it waits for
// one. Meanwhile no connection is kept idle.
class connection_pool::shortage {
public:
    explicit shortage(connection_pool& pool) noexcept : pool_(pool) { ++pool_.short_; }
    shortage(const shortage&) = delete;
    shortage& operator=(const shortage&) = delete;
    ~shortage() { --pool_.short_; }

    // Whether there are connections, idle ones too, that may end.
    [[nodiscard]] bool others_may_end() const noexcept;

    class [[nodiscard]] end_awaiter : public leat::detail::leaf_awaiter<end_awaiter> {
    public:
        explicit end_awaiter(connection_pool& pool) noexcept : leaf_awaiter(end_kind), pool_(pool) {}
        static bool take_now() noexcept { return leat::detail::never_ready(); }
        void enqueue() noexcept { pool_.waiting_for_descriptors_.push_back(*this); }
        void await_resume() const noexcept {}

    private:
        static const wait_kind end_kind;
        connection_pool& pool_;
    };
    // co_await: goes on when a connection has ended, for this one alone; an idle one is closed for that.
    [[nodiscard]] end_awaiter next_end() noexcept;

private:
    connection_pool& pool_;
};

class [[nodiscard]] connection_pool::lease_awaiter : public leat::detail::leaf_awaiter<lease_awaiter> {
public:
    lease_awaiter(connection_pool& pool, pool_place& place) noexcept
        : leaf_awaiter(lease_kind), pool_(pool), place_(place) {}
    ~lease_awaiter();
    void begin_cancelled() noexcept;
    bool take_now() noexcept;
    void enqueue() noexcept {
        place_.waiting.push_back(*this);
        place_.tell_shared();
    }
    // Throws std::bad_alloc.
    connection_lease await_resume();

private:
    friend connection_pool;
    static const wait_kind lease_kind;
    static bool leave(wait& self) noexcept;

    connection_pool& pool_;
    pool_place& place_;
    std::unique_ptr<client_connection> connection_;
    connection_seat seat_;
    bool granted_ = false;  // a slot
    bool decides_ = false;
};

}  // namespace leat::http::detail

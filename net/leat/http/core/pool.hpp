// SPDX-License-Identifier: MIT
// connection_pool: the client's connections, by place ("http://example.org:80"). It bounds how many are open
// to one place, keeps those that can be used again, and gives them to requests, the most recently used first.
// Invariant: every open connection is idle in its place, or its watch is ending, or it belongs to one lease.
// A lease that is destroyed, also by cancellation, closes its connection and gives its slot to the request
// that has waited longest.
//
// Theory of operation. Bytes on an idle connection answer no request: they are an unexpected answer, the rest
// of a body that should not be there, or the end. So a task, the watch, reads from each idle connection, and
// the connection is closed as soon as it gets anything. The watch owns the connection. A lease asks it to
// end; then the connection goes to the request that has waited longest. Bytes may have come since the last
// turn, so the socket is checked once more before it is used. One timer closes the idle connections whose
// time is over. The watches and the timer are bystanders: they do not hide a deadlock from run().
#pragma once

#include <leat/core/awaited.hpp>
#include <leat/core/bystander.hpp>
#include <leat/core/list.hpp>
#include <leat/core/scheduler.hpp>
#include <leat/core/wait.hpp>
#include <leat/core/wait_queue.hpp>
#include <leat/http/core/connection.hpp>
#include <leat/spawn.hpp>

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace leat::http::detail {

class connection_pool;
class idle_connection;

struct pool_limits {
    std::size_t per_place;  // open connections, idle ones included
    std::size_t idle;       // kept in all
    duration idle_time;     // for so long
};

struct pool_place {
    using position = std::map<std::string, pool_place>::iterator;

    position here;
    std::size_t open = 0;
    std::vector<idle_connection*> idle;  // the most recently used last
    list<wait> waiting;
};

// The right to one connection, and the connection once there is one.
class connection_lease {
public:
    connection_lease() noexcept = default;
    connection_lease(connection_pool& pool, pool_place& place,
                     std::unique_ptr<client_connection> connection) noexcept
        : pool_(&pool), place_(&place), connection_(std::move(connection)) {}
    connection_lease(connection_lease&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)),
          place_(other.place_),
          connection_(std::move(other.connection_)) {}
    connection_lease& operator=(connection_lease&& other) noexcept {
        drop();
        pool_ = std::exchange(other.pool_, nullptr);
        place_ = other.place_;
        connection_ = std::move(other.connection_);
        return *this;
    }
    ~connection_lease() { drop(); }

    [[nodiscard]] bool has_connection() const noexcept { return connection_ != nullptr; }
    client_connection& operator*() const noexcept { return *connection_; }
    client_connection* operator->() const noexcept { return connection_.get(); }

    void put(any_stream stream) { connection_ = std::make_unique<client_connection>(std::move(stream)); }
    // Closes the connection and keeps the right to another.
    void close_connection() noexcept { connection_.reset(); }
    // Ends the lease: the connection goes back to the pool if it can be used again.
    void drop() noexcept;

private:
    connection_pool* pool_ = nullptr;
    pool_place* place_ = nullptr;
    std::unique_ptr<client_connection> connection_;
};

// An idle connection, with the task that watches it and owns this. Linked in one of its pool's lists: idle_
// or, when it was given up, closing_. In neither when it is on its way to a lease.
class idle_connection : public list_link {
public:
    idle_connection(pool_place& place, std::unique_ptr<client_connection> held) noexcept
        : place_(&place), connection_(std::move(held)) {}
    idle_connection(const idle_connection&) = delete;
    idle_connection& operator=(const idle_connection&) = delete;
    ~idle_connection();  // the watch has ended, in whatever way

    [[nodiscard]] task<> watch();

private:
    friend connection_pool;

    connection_pool* pool_ = nullptr;  // null: no pool is told of its end
    pool_place* place_;                // null: given up
    std::unique_ptr<client_connection> connection_;
    handle<> watch_;
    time_point since_;
    bool watched_ = false;  // the watch has taken its first step
};

// Outlives its leases. Used on one scheduler at a time.
class connection_pool {
public:
    explicit connection_pool(pool_limits limits) noexcept : limits_(limits) {}
    connection_pool(const connection_pool&) = delete;
    connection_pool& operator=(const connection_pool&) = delete;
    ~connection_pool();

    class lease_awaiter;
    // co_await gives a connection_lease for `place`, with an idle connection if there is one. Waits while as
    // many as allowed are in use. Cancelled: nothing was taken.
    [[nodiscard]] lease_awaiter lease(const std::string& place);

    class shortage;

    [[nodiscard]] std::size_t idle() const noexcept { return idle_count_; }
    // Closes the idle connections; their descriptors within a turn.
    void close_idle() noexcept;

private:
    friend connection_lease;
    friend idle_connection;

    struct expiry_timer : leat::detail::bystander_timer {
        explicit expiry_timer(connection_pool& of) noexcept;
        connection_pool& pool;
    };

    [[nodiscard]] idle_connection* freshest(pool_place& place) noexcept;
    void give_back(pool_place& place, std::unique_ptr<client_connection> connection) noexcept;
    void keep(pool_place& place, std::unique_ptr<client_connection> connection);
    void leave_idle(idle_connection& one) noexcept;
    void watch_ended(idle_connection& watched) noexcept;
    void close(idle_connection& unwanted) noexcept;
    void close_oldest() noexcept;
    void close_expired() noexcept;
    void forget_if_unused(pool_place& place) noexcept;
    void descriptor_freed() noexcept { waiting_for_descriptors_.wake_one(); }

    pool_limits limits_;
    std::map<std::string, pool_place> places_;
    list<idle_connection> idle_;  // the oldest first
    std::size_t idle_count_ = 0;
    list<idle_connection> closing_;  // their watches are about to end
    expiry_timer expiry_{*this};     // armed while some are idle
    std::size_t short_ = 0;          // leases that found no descriptor for their connection
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
    void enqueue() noexcept { place_.waiting.push_back(*this); }
    connection_lease await_resume() noexcept {
        granted_ = false;
        return {pool_, place_, std::move(connection_)};
    }

private:
    friend connection_pool;
    static const wait_kind lease_kind;

    connection_pool& pool_;
    pool_place& place_;
    std::unique_ptr<client_connection> connection_;
    bool granted_ = false;
};

}  // namespace leat::http::detail

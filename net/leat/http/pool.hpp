// SPDX-License-Identifier: MIT
// connection_pool: the client's connections, by the place they lead to ("http://example.org:80"). It bounds
// how many are open to one place, keeps those that can be used again, and hands them out, the freshest first.
// Invariant: every open connection is idle in its place or belongs to one lease. A lease that dies, also by
// cancellation, closes its connection and gives its slot to whoever waits first.
#pragma once

#include <leat/awaited.hpp>
#include <leat/http/connection.hpp>
#include <leat/list.hpp>
#include <leat/scheduler.hpp>
#include <leat/wait.hpp>

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace leat::http {

class connection_pool;

struct pool_limits {
    std::size_t per_place;  // open connections, idle ones included
    std::size_t idle;       // kept in all
    duration idle_time;     // for so long
};

namespace detail {

struct pool_place {
    using position = std::map<std::string, pool_place>::iterator;

    position here;
    std::size_t open = 0;
    std::vector<std::unique_ptr<client_connection>> idle;  // the freshest last
    list<wait> waiting;
};

}  // namespace detail

// The right to one connection, and the connection once there is one.
class connection_lease {
public:
    connection_lease() noexcept = default;
    connection_lease(connection_pool& pool, detail::pool_place& place,
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
    detail::pool_place* place_ = nullptr;
    std::unique_ptr<client_connection> connection_;
};

// Outlives its leases. Used on one scheduler at a time.
class connection_pool {
public:
    explicit connection_pool(pool_limits limits) noexcept : limits_(limits) {}
    connection_pool(const connection_pool&) = delete;
    connection_pool& operator=(const connection_pool&) = delete;

    class lease_awaiter;
    // co_await gives a connection_lease for `place`, with an idle connection if there is one (and `fresh` was
    // not asked for). Waits while as many as allowed are in use. Cancelled: nothing was taken.
    [[nodiscard]] lease_awaiter lease(const std::string& place);

    [[nodiscard]] std::size_t idle() const noexcept { return idle_; }
    // Closes the idle connections.
    void close_idle() noexcept;

private:
    friend connection_lease;

    [[nodiscard]] std::unique_ptr<client_connection> take_idle(detail::pool_place& place) noexcept;
    void give_back(detail::pool_place& place, std::unique_ptr<client_connection> connection) noexcept;
    void keep(detail::pool_place& place, std::unique_ptr<client_connection> connection);
    void close_oldest() noexcept;
    void forget_if_unused(detail::pool_place& place) noexcept;

    pool_limits limits_;
    std::map<std::string, detail::pool_place> places_;
    std::size_t idle_ = 0;
};

class [[nodiscard]] connection_pool::lease_awaiter : public leat::detail::awaiter_base, wait {
public:
    lease_awaiter(connection_pool& pool, detail::pool_place& place) noexcept
        : wait(lease_kind), pool_(pool), place_(place) {}
    ~lease_awaiter();
    bool await_ready() noexcept;
    template <typename Promise>
    void await_suspend(std::coroutine_handle<Promise> waiter) noexcept {
        suspend(waiter.promise());
    }
    void suspend(frame& waiter) noexcept;
    connection_lease await_resume() noexcept {
        granted_ = false;
        return {pool_, place_, std::move(connection_)};
    }

private:
    friend connection_pool;
    static const wait_kind lease_kind;

    connection_pool& pool_;
    detail::pool_place& place_;
    std::unique_ptr<client_connection> connection_;
    bool granted_ = false;
};

}  // namespace leat::http

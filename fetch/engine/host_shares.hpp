// SPDX-License-Identifier: MIT
// host_shares: decides which transfer may begin: so many in all, so many with each host, in the order of
// their jobs. A host that is in trouble gets a smaller share for a while, and holds up no other.
//
//     host_share mine = co_await shares.acquire("example.org:443", job.number);
//     ... mine.moved(); ...
//
// Theory of operation. Of all that wait, the job with the lowest number begins whose host has room. A refusal
// (429, 503), a reset or a silence is trouble: the host's limit becomes half of what it had under way, once
// for all that had begun before; and one more for each `limit` transfers that succeed. Retry-After pauses the
// host. A transfer to which nothing has come for `silence` no longer counts among all, so that those of other
// hosts go on in its place, until something comes: a few more than the limit may be under way then.
// Invariant: a host_share counts at its host until it is destroyed; of all that wait for a host, none could
// begin.
#pragma once

#include <leat/clock.hpp>
#include <leat/sync/event.hpp>
#include <leat/task.hpp>

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace fetch {

class host_shares;

struct share_limits {
    std::size_t transfers;  // that move, in all
    std::size_t per_host;
    std::size_t open;   // also those that are silent: what descriptors allow
    std::size_t ahead;  // that may wait for their hosts while others could begin
    leat::duration silence = std::chrono::seconds(5);
};

namespace detail {

struct share_waiter;

struct shared_host {
    explicit shared_host(std::size_t most) noexcept : limit(most) {}

    std::size_t limit;
    std::size_t in_use = 0;
    std::size_t successes = 0;  // since the limit changed
    leat::time_point changed = leat::long_ago;
    leat::time_point paused_until = leat::long_ago;
    std::set<std::pair<std::uint64_t, share_waiter*>> waiting;
    std::optional<std::uint64_t> ready_as;  // where it stands among those that have room
};

struct held_share {
    std::map<std::string, shared_host>::iterator host;
    leat::time_point begun;
    leat::time_point moved;
    bool silent = false;
};

}  // namespace detail

// The right to be under way with one host; its end gives it back.
class [[nodiscard]] host_share {
public:
    host_share(host_share&& other) noexcept
        : from_(std::exchange(other.from_, nullptr)), held_(other.held_) {}
    host_share& operator=(host_share&& other) noexcept {
        if (this != &other) {
            release();
            from_ = std::exchange(other.from_, nullptr);
            held_ = other.held_;
        }
        return *this;
    }
    ~host_share() { release(); }

    // Something has come from the host.
    void moved() noexcept;
    // The host has answered as it should; it is in trouble, and perhaps asks for a pause.
    void succeeded() noexcept;
    void troubled(std::optional<leat::duration> pause = std::nullopt) noexcept;
    void release() noexcept;

private:
    friend host_shares;
    host_share(host_shares& from, std::list<detail::held_share>::iterator held) noexcept
        : from_(&from), held_(held) {}

    host_shares* from_;
    std::list<detail::held_share>::iterator held_;
};

// Outlives the shares. Used on one scheduler.
class host_shares {
public:
    explicit host_shares(const share_limits& limits) noexcept : limits_(limits) {}
    host_shares(const host_shares&) = delete;
    host_shares& operator=(const host_shares&) = delete;

    // A share of `host` for job `number`. Cancelled: none was taken.
    [[nodiscard]] leat::task<host_share> acquire(std::string host, std::uint64_t number);
    // Another share of `host`, for who has one, if one is free and nobody waits for it.
    [[nodiscard]] std::optional<host_share> try_acquire(const std::string& host);
    // Somebody waits who could begin if a share of `host` was given back, or a job could.
    [[nodiscard]] bool is_wanted(const std::string& host) const;
    // Until another job could begin, if its host has room, and few wait: then it may be asked for. Cancelled:
    // nothing has happened.
    [[nodiscard]] leat::task<> wait_for_room();
    // Ends pauses, and notices silence; runs until it is cancelled.
    [[nodiscard]] leat::task<> keep_time();

    // Hosts that nobody uses, and whose trouble is remembered, are forgotten when there are more.
    static constexpr std::size_t remembered_max = 10'000;
    [[nodiscard]] std::size_t remembered() const noexcept { return hosts_.size(); }
    [[nodiscard]] std::size_t limit_of(const std::string& host) const;
    [[nodiscard]] std::size_t waiting() const noexcept { return waiting_; }
    [[nodiscard]] std::size_t under_way() const noexcept { return held_.size(); }

private:
    friend host_share;
    friend detail::share_waiter;
    using host_position = std::map<std::string, detail::shared_host>::iterator;

    [[nodiscard]] bool has_room() const noexcept;
    [[nodiscard]] bool may_begin() const noexcept;
    void place(detail::shared_host& host);
    void grant();
    [[nodiscard]] host_share hold(host_position host);
    void lower(detail::shared_host& host, leat::time_point begun) noexcept;
    void change(host_position host);
    void notice_silence(leat::time_point now);
    [[nodiscard]] leat::time_point next_pause_end(leat::time_point now);

    share_limits limits_;
    std::map<std::string, detail::shared_host> hosts_;
    std::list<detail::held_share> held_;
    std::set<std::pair<std::uint64_t, detail::shared_host*>> ready_;  // hosts with room, by their first job
    std::size_t moving_ = 0;                                          // of held_
    std::size_t waiting_ = 0;
    bool room_wanted_ = false;
    leat::event room_;
    leat::event paused_;
};

}  // namespace fetch

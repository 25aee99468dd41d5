// SPDX-License-Identifier: MIT
// channel: one question to the name servers. It has its own channel of c-ares, and drives it: the backend
// opens and closes the sockets, background tasks of the scheduler watch them, and a timer serves the
// timeouts. Used by the resolver only.
//
// Each question has a channel, so that it can be cancelled alone (c-ares cancels all of a channel or
// nothing), has its own source ports (RFC 5452 section 9.2), and fails with the errors of its own sockets.
// Making one costs some tens of microseconds, mostly for reading /etc/resolv.conf.
//
// Theory of operation. c-ares says which sockets it wants to read or write (want); for each socket and
// direction there is one task that waits for readiness and passes it on (process). c-ares closes sockets when
// it wants to, often inside process: then the watches are separated from the channel and the descriptor is
// retired, so a wait that the backend still has ends first, and its result is ignored.
#pragma once

#include <leat/address.hpp>
#include <leat/core/scheduler.hpp>
#include <leat/dns/core/answer_check.hpp>
#include <leat/dns/resolve.hpp>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <vector>

struct ares_channeldata;
struct ares_addrinfo;

namespace leat::detail {

// The settings for sending a question, without open choices.
struct channel_settings {
    friend auto operator<=>(const channel_settings&, const channel_settings&) = default;

    std::string servers;  // as c-ares reads them; empty: those of /etc/resolv.conf
    duration timeout;
    int tries;
    bool over_tcp;
    bool rotate;  // begin with any of those of /etc/resolv.conf
    // Which state of the system's files they are of, by count: an answer is that of its own state only.
    std::uint64_t files;
};

class channel {
public:
    // Further addresses of an answer are left out.
    static constexpr std::size_t addresses_max = 1024;
    // The best of so many of them is found: c-ares opens a socket for each, to learn from where it would be
    // reached (RFC 6724). The others follow in the order of the answer.
    static constexpr int compared_max = 64;

    // Is called with the answer, and may then destroy the channel.
    class listener {
    public:
        virtual void answered(channel& asked) noexcept = 0;

    protected:
        ~listener() = default;
    };

    channel(scheduler& loop, listener& told) noexcept;
    channel(const channel&) = delete;
    channel& operator=(const channel&) = delete;
    ~channel();

    // Sends the question, once. True: it was answered at once, and there is no call.
    [[nodiscard]] bool ask(const std::string& name, address_families families,
                           const channel_settings& settings) noexcept;
    // The answer.
    [[nodiscard]] std::error_code error() const noexcept { return error_; }
    [[nodiscard]] const std::vector<address>& addresses() const noexcept { return addresses_; }
    // How long it holds; zero: only now.
    [[nodiscard]] duration lifetime() const noexcept { return lifetime_; }

    // The rest is for c-ares and the tasks that watch its sockets.
    [[nodiscard]] result<int> open_socket(int family, int type, int protocol) noexcept;
    void close_socket(int fd) noexcept;
    void sent() noexcept { unused_sockets_ = 0; }
    void received_datagram(std::span<const std::byte> bytes) noexcept { seen_.datagram(bytes); }
    void received_stream(std::span<const std::byte> bytes) noexcept { seen_.stream(bytes); }
    void stream_ended(int fd) noexcept;
    void want(int fd, bool readable, bool writable) noexcept;
    void process(int readable, int writable) noexcept;
    void take(int status, const ares_addrinfo* found) noexcept;

private:
    struct watch;
    struct alarm : timer {
        explicit alarm(channel& owned_by) noexcept;
        channel& owner;
    };

    static task<> drive(std::unique_ptr<watch> self);
    [[nodiscard]] int open(const channel_settings& settings) noexcept;
    [[nodiscard]] std::error_code error_of(int status) const noexcept;
    [[nodiscard]] duration missing_holds() const noexcept;
    void want_one(int fd, bool writes, bool wanted);
    void go_on() noexcept;
    void set_alarm() noexcept;
    void give_up_for_memory() noexcept;

    scheduler& loop_;
    listener& told_;
    ares_channeldata* ares_ = nullptr;
    alarm alarm_;
    list<watch> watches_;
    address_families families_ = address_families::any;  // of the addresses that are asked for
    answer_check seen_;
    std::error_code socket_error_;  // why the last socket could not be opened
    int unused_sockets_ = 0;        // opened since something was sent
    int ended_stream_ = -1;         // a TCP connection that has ended, until c-ares closes it
    bool short_of_memory_ = false;  // for one that watches
    bool answered_ = false;
    std::error_code error_;
    std::vector<address> addresses_;
    duration lifetime_ = duration::zero();
};

// Makes c-ares open, close and use its sockets by way of `owner`.
void use_backend_sockets(ares_channeldata* ares, channel& owner) noexcept;

}  // namespace leat::detail

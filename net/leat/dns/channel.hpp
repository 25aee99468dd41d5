// SPDX-License-Identifier: MIT
// channel: one channel of c-ares, and what drives it: its sockets are opened and closed by the backend,
// watched by background tasks of the scheduler, and its timeouts are a timer. Used by the resolver only.
// Invariant: a question is in `questions_` from its first asker until it is answered, once; every asker that
// still waits then has its answer. Of those questions at most asked_max are with c-ares.
//
// Theory of operation. c-ares says which sockets it wants to read or write (want); for each socket and
// direction there is one task that waits for readiness and hands it over (process). c-ares closes a socket
// at a time of its own, often inside process: then the watches are cut off from the channel and the
// descriptor is retired, so a wait that the backend still has ends first and nobody hears of it.
#pragma once

#include <leat/address.hpp>
#include <leat/dns/resolve.hpp>
#include <leat/scheduler.hpp>

#include <map>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

struct ares_channeldata;
struct ares_addrinfo;

namespace leat::detail {

struct channel_settings {
    friend bool operator==(const channel_settings&, const channel_settings&) = default;

    std::string servers;
    duration timeout;
    int tries;
    std::pair<std::int64_t, std::int64_t> configuration;  // which version of /etc/resolv.conf
};

// A wait for the answer to a question.
struct asker : wait {
    explicit asker(const wait_kind& what) noexcept : wait(what) {}

    std::error_code error;
    std::vector<address> addresses;
};

class channel {
public:
    // Each is two datagrams each way. So many fit into the buffers of sockets (212,992 bytes, which count
    // twice the size of a datagram and more); of a thousand at once some are lost, and wait for their
    // timeout.
    static constexpr std::size_t asked_max = 50;

    // When c-ares cannot begin, every question is answered with that error.
    channel(scheduler& loop, channel_settings settings);
    channel(const channel&) = delete;
    channel& operator=(const channel&) = delete;
    ~channel();

    // Asks for `name`, or joins those who ask for it already. `waiting` is finished with the answer, perhaps
    // at once; it may be unlinked before that.
    void ask(const std::string& name, address_families families, asker& waiting);

    [[nodiscard]] bool idle() const noexcept { return questions_.empty(); }
    [[nodiscard]] bool works() const noexcept { return ares_ != nullptr; }
    [[nodiscard]] const channel_settings& settings() const noexcept { return settings_; }

    // The rest is for c-ares and the tasks that watch its sockets.
    struct question;
    [[nodiscard]] result<int> open_socket(int family, int type, int protocol) noexcept;
    void close_socket(int fd) noexcept;
    void want(int fd, bool readable, bool writable) noexcept;
    void process(int readable, int writable) noexcept;
    void answered(question& asked, int status, const ares_addrinfo* found) noexcept;

private:
    using key = std::pair<std::string, address_families>;
    struct watch;
    struct alarm : timer {
        explicit alarm(channel& owned_by) noexcept;
        channel& owner;
    };

    static task<> drive(std::unique_ptr<watch> self);
    void want_one(int fd, bool writes, bool wanted);
    void begin(question& next);
    void begin_waiting() noexcept;
    void set_alarm() noexcept;
    void finish(asker& waiting) noexcept;

    scheduler& loop_;
    channel_settings settings_;
    ares_channeldata* ares_ = nullptr;
    int status_ = 0;                // why there is none
    std::error_code socket_error_;  // why the last socket could not be opened
    alarm alarm_;
    list<watch> watches_;
    std::map<key, question> questions_;
    list<question> waiting_;  // those that c-ares has not been asked yet
    std::size_t asked_ = 0;   // the others
};

struct channel::question : list_link {
    explicit question(channel& asked) noexcept : owner(asked) {}

    channel& owner;
    const key* what = nullptr;
    list<asker> askers;
};

// Makes c-ares open, close and use its sockets by way of `owner`.
void use_backend_sockets(ares_channeldata* ares, channel& owner) noexcept;

}  // namespace leat::detail

// SPDX-License-Identifier: MIT
// An echo server in the callback style of select and selectors, for code that is not made of coroutines yet:
// each descriptor has a callback, which registers, changes and removes what it waits for. (echo_server.cpp
// does the same work in three lines.)
#include "command_line.hpp"

#include <leat/readiness_callbacks.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <map>
#include <string>
#include <utility>

#include <sys/socket.h>
#include <sys/timerfd.h>

namespace {

constexpr leat::duration grace = std::chrono::seconds(8);  // for what is to be sent at the end
constexpr std::size_t waiting_max = 65536;  // bytes that a client has not taken; then it is not read

class echo_callbacks {
public:
    echo_callbacks(leat::readiness_callbacks& watched, int listener)
        : watched_(watched), listener_(listener) {
        watched_.add(listener, leat::ready_to::read, [this](int, leat::ready_to) { accept_one(); });
        watched_.add(pause_.get(), leat::ready_to::read, [this](int, leat::ready_to) { rest(0); });
    }

    // Accepts no more. What clients have sent until now goes back to them, then they are disconnected.
    void finish() {
        watched_.remove(listener_);
        watched_.remove(pause_.get());
        for (const auto& each : clients_) {
            ::shutdown(each.first, SHUT_RD);  // an end behind what has come
        }
    }

private:
    struct client {
        leat::fd socket;
        std::string waiting;  // to be sent back
        bool ended = false;   // it sends no more
    };

    void accept_one() {
        leat::fd socket(::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!socket) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
                rest(100'000'000);
            }
            return;  // whatever else it is, that client has gone
        }
        const int number = socket.get();
        clients_[number].socket = std::move(socket);
        watched_.add(number, leat::ready_to::read, [this](int ready, leat::ready_to event) {
            (event == leat::ready_to::read ? receive(ready) : send_back(ready));
        });
    }

    // Lets the listener rest, which stays ready while there is no descriptor, or no memory, for who waits; 0
    // ends that.
    void rest(long nanoseconds) {
        const itimerspec once{.it_interval = {}, .it_value = {.tv_sec = 0, .tv_nsec = nanoseconds}};
        ::timerfd_settime(pause_.get(), 0, &once, nullptr);
        watched_.modify(listener_, nanoseconds > 0 ? leat::ready_to::do_nothing : leat::ready_to::read);
    }

    void receive(int number) {
        client& from = clients_[number];
        char part[16384];
        const ssize_t size = ::recv(number, part, sizeof part, 0);
        if (size > 0) {
            from.waiting.append(part, static_cast<std::size_t>(size));
        } else if (size == 0) {
            from.ended = true;
        } else if (errno != EAGAIN) {
            return close(number);
        }
        go_on(number, from);
    }

    void send_back(int number) {
        client& to = clients_[number];
        const ssize_t size = ::send(number, to.waiting.data(), to.waiting.size(), MSG_NOSIGNAL);
        if (size < 0 && errno != EAGAIN) {
            return close(number);
        }
        to.waiting.erase(0, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
        go_on(number, to);
    }

    void go_on(int number, const client& of) {
        if (of.ended && of.waiting.empty()) {
            return close(number);
        }
        const bool reads = !of.ended && of.waiting.size() < waiting_max;
        watched_.modify(number,
                        (reads ? leat::ready_to::read : leat::ready_to::do_nothing) |
                            (of.waiting.empty() ? leat::ready_to::do_nothing : leat::ready_to::write));
    }

    void close(int number) {
        watched_.remove(number);
        clients_.erase(number);
    }

    leat::readiness_callbacks& watched_;
    const int listener_;
    const leat::fd pause_{::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)};
    std::map<int, client> clients_;
};

leat::task<> serve(examples::server_options options) {
    const auto listener = options.listen();
    leat::readiness_callbacks watched;
    echo_callbacks echo(watched, listener.native_handle());
    leat::signal_set stop(leat::not_ignored({SIGINT, SIGTERM}));
    examples::announce(listener.local_endpoint().to_string());
    co_await leat::race(watched.run(), stop.next());
    echo.finish();
    co_await leat::race(leat::move_on_after(grace, watched.run()), stop.next());
}

}  // namespace

int main(int argc, char** argv) {
    return examples::run_server("readiness_callbacks", "An echo server in callback style.",
                                {.host = "0.0.0.0", .port = 8001, .backend = ""}, argc, argv, serve);
}

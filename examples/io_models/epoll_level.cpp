// SPDX-License-Identifier: MIT
// epoll, level-triggered: the kernel keeps the set of descriptors, and a call tells only of those that are
// ready, so idle clients cost nothing. What was not taken is told again. A change of interest is a call of
// its own, and the kernel asks each descriptor that it told of once more at the next call.
#include "connection.hpp"
#include "model.hpp"
#include "sockets.hpp"

#include <cstdint>
#include <optional>
#include <vector>

#include <sys/epoll.h>

namespace io_models {

namespace {

class level_triggered_server {
public:
    explicit level_triggered_server(int listener)
        : poller_(::epoll_create1(EPOLL_CLOEXEC)), listener_(listener) {
        control(EPOLL_CTL_ADD, listener, EPOLLIN);
    }

    void turn() {
        epoll_event events[256];
        const int count = ::epoll_wait(poller_.get(), events, 256, -1);
        if (count < 0) {
            fail("epoll_wait");
        }
        for (int i = 0; i < count; ++i) {
            if (events[i].data.fd == listener_) {
                accept();
            } else {
                step(events[i].data.fd);
            }
        }
    }

private:
    void control(int operation, int descriptor, std::uint32_t events) {
        epoll_event wanted{.events = events, .data = {.fd = descriptor}};
        if (::epoll_ctl(poller_.get(), operation, descriptor, &wanted) != 0) {
            fail("epoll_ctl");
        }
    }

    void accept() {
        accepted next = accept_client(listener_, true);
        if (next.client) {
            const int client = next.client.get();
            connections_.resize(std::max<std::size_t>(connections_.size(), client + 1UL));
            connections_[client].emplace(std::move(next.client));
            control(EPOLL_CTL_ADD, client, EPOLLIN);
        } else if (next.full) {
            control(EPOLL_CTL_MOD, listener_, 0);  // or it would be told again and again
            full_ = true;
        }
    }

    void step(int client) {
        connection& stepping = *connections_[client];
        const bool waited_to_send = stepping.waits_to_send();
        if (stepping.step() == step_result::gone) {
            connections_[client].reset();  // closing takes it out of the poller
            if (std::exchange(full_, false)) {
                control(EPOLL_CTL_MOD, listener_, EPOLLIN);
            }
        } else if (stepping.waits_to_send() != waited_to_send) {
            control(EPOLL_CTL_MOD, client, waited_to_send ? EPOLLIN : EPOLLOUT);
        }
    }

    leat::fd poller_;
    int listener_;
    bool full_ = false;
    std::vector<std::optional<connection>> connections_;  // by descriptor
};

}  // namespace

void serve_epoll_level(int listener) {
    make_non_blocking(listener);
    for (level_triggered_server server(listener);;) {
        server.turn();
    }
}

}  // namespace io_models

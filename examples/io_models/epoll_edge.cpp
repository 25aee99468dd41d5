// SPDX-License-Identifier: MIT
// epoll, edge-triggered: a descriptor is told of when something new has happened to it, and is registered
// once, for both directions. The server must go on until a call would wait: what it leaves behind is not told
// again, and that client hangs for ever. (A server for strangers also bounds the steps of each: here one that
// never stops sending keeps the others waiting.)
#include "connection.hpp"
#include "model.hpp"
#include "sockets.hpp"

#include <cstdint>
#include <optional>
#include <vector>

#include <sys/epoll.h>

namespace io_models {

namespace {

class edge_triggered_server {
public:
    explicit edge_triggered_server(int listener)
        : poller_(::epoll_create1(EPOLL_CLOEXEC)), listener_(listener) {
        add(listener, EPOLLIN | EPOLLET);
    }

    void turn() {
        epoll_event events[256];
        const int count = ::epoll_wait(poller_.get(), events, 256, -1);
        if (count < 0) {
            fail("epoll_wait");
        }
        for (int i = 0; i < count; ++i) {
            if (events[i].data.fd == listener_) {
                accept_all();
            } else {
                step_until_it_waits(events[i].data.fd);
            }
        }
    }

private:
    void add(int descriptor, std::uint32_t events) {
        epoll_event wanted{.events = events, .data = {.fd = descriptor}};
        if (::epoll_ctl(poller_.get(), EPOLL_CTL_ADD, descriptor, &wanted) != 0) {
            fail("epoll_ctl");
        }
    }

    void accept_all() {
        for (;;) {
            accepted next = accept_client(listener_, true);
            full_ = next.full;
            if (!next.client) {
                return;
            }
            const int client = next.client.get();
            connections_.resize(std::max<std::size_t>(connections_.size(), client + 1UL));
            connections_[client].emplace(std::move(next.client));
            add(client, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
        }
    }

    void step_until_it_waits(int client) {
        step_result result = step_result::moved;
        while (result == step_result::moved) {
            result = connections_[client]->step();
        }
        if (result == step_result::gone) {
            connections_[client].reset();
            if (full_) {
                accept_all();  // nobody tells again of those who wait
            }
        }
    }

    leat::fd poller_;
    int listener_;
    bool full_ = false;
    std::vector<std::optional<connection>> connections_;  // by descriptor
};

}  // namespace

void serve_epoll_edge(int listener) {
    make_non_blocking(listener);
    for (edge_triggered_server server(listener);;) {
        server.turn();
    }
}

}  // namespace io_models

// SPDX-License-Identifier: MIT
// poll: as select, with an array of any length instead of bits, so no descriptor is too great. Every call
// still copies the whole array and looks at each entry, whether it is ready or not.
#include "connection.hpp"
#include "model.hpp"
#include "sockets.hpp"

#include <vector>

#include <poll.h>

namespace io_models {

namespace {

// Entry 0 is the listener, entry n that of client n - 1.
class poll_server {
public:
    explicit poll_server(int listener) : listener_(listener), entries_{{listener, POLLIN, 0}} {}

    void turn() {
        if (::poll(entries_.data(), entries_.size(), -1) < 0) {
            fail("poll");
        }
        for (std::size_t i = connections_.size(); i > 0; --i) {  // backwards: remove() moves the last one
            if (entries_[i].revents != 0) {
                step(i);
            }
        }
        if (entries_[0].revents != 0) {
            accept();
        }
    }

private:
    void step(std::size_t i) {
        connection& client = connections_[i - 1];
        if (client.step() == step_result::gone) {
            remove(i);
        } else {
            entries_[i].events = client.waits_to_send() ? POLLOUT : POLLIN;
        }
    }

    void remove(std::size_t i) {
        entries_[i] = entries_.back();
        entries_.pop_back();
        std::swap(connections_[i - 1], connections_.back());
        connections_.pop_back();
        entries_[0].fd = listener_;
    }

    void accept() {
        accepted next = accept_client(listener_, true);
        if (next.client) {
            entries_.push_back({next.client.get(), POLLIN, 0});
            connections_.emplace_back(std::move(next.client));
        } else if (next.full) {
            entries_[0].fd = -1;  // poll leaves it out, until a client has gone
        }
    }

    int listener_;
    std::vector<pollfd> entries_;
    std::vector<connection> connections_;
};

}  // namespace

void serve_poll(int listener) {
    make_non_blocking(listener);
    for (poll_server server(listener);;) {
        server.turn();
    }
}

}  // namespace io_models

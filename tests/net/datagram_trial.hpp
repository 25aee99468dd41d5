// SPDX-License-Identifier: MIT
// receive_trial: a receive of datagrams that is cancelled at each moment (cancel_moments.hpp).
#pragma once

#include "../runtime/cancel_moments.hpp"
#include "datagrams.hpp"

#include <leat/net.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace datagram_tests {

// Receives a datagram in one way or another, when somebody has sent it.
class receive_trial : public cancel_tests::trial {
public:
    void enable() {
        const std::string next = std::to_string(1000 + sent_.size());
        sent_ += next;
        sender_ = leat::spawn(
            [this, next]() -> leat::task<> { co_await client_.send_to(next, server_.local_endpoint()); });
    }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(received_ == sent_, where);
        co_await sender_;
    }

protected:
    void received(std::string_view text) {
        received_ += text;
        delivered();
    }
    [[nodiscard]] leat::udp_socket& socket() noexcept { return server_; }

private:
    leat::udp_socket server_ = on_loopback();
    leat::udp_socket client_ = on_loopback();
    std::string sent_;
    std::string received_;
    leat::handle<> sender_;
};

}  // namespace datagram_tests

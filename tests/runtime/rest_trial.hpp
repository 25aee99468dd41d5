// SPDX-License-Identifier: MIT
// rest_trial: a recv_exactly of eight bytes, of which three have come. A cancelled one has had those, and
// whoever receives next, in whatever way, sees them first. For pipes and sockets.
#pragma once

#include "cancel_moments.hpp"

#include <leat/chunk.hpp>

#include <array>
#include <string>
#include <utility>

namespace cancel_tests {

// `Connection` is made ready, and has stream() and peer_sends(text).
template <typename Connection>
class rest_trial : public trial {
public:
    rest_trial() { both_.peer_sends("abc"); }
    leat::task<> attempt() {
        if (std::exchange(begun_, true)) {  // no conditional expression: g++ 14 awaits both of its branches
            received_ = co_await receive_otherwise();
        } else {
            received_ = co_await receive_exactly();
        }
        delivered();
    }
    void enable() { both_.peer_sends("defgh"); }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(received_ == "abcdefgh", where);
        received_.clear();
        begun_ = false;
        ++rounds_;
        both_.peer_sends("abc");
        co_return;
    }

private:
    leat::task<std::string> receive_exactly() {
        std::array<char, 8> all;
        co_await both_.stream().recv_exactly(all);
        co_return std::string(all.data(), all.size());
    }
    leat::task<std::string> receive_otherwise() {
        if (rounds_ % 3 == 0) {
            co_return co_await receive_exactly();
        }
        std::string all;
        while (all.size() < 8) {
            if (rounds_ % 3 == 1) {
                std::array<char, 2> some;
                const std::size_t got = co_await both_.stream().recv(some);
                all.append(some.data(), got);
            } else {
                const leat::chunk chunk = co_await both_.stream().recv_chunk();
                all += chunk.text();
            }
        }
        co_return all;
    }

    Connection both_;
    bool begun_ = false;
    int rounds_ = 0;
    std::string received_;
};

}  // namespace cancel_tests

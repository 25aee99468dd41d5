// SPDX-License-Identifier: MIT
// Waits of blocking functions that are cancelled at every moment: the byte that they wait for is read once,
// by them or by the next.
#include "../cancel_moments.hpp"
#include "blocking_calls.hpp"

#include <leat/blocking.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <array>
#include <string>

using namespace fibre_tests;
using leat::detail::fibre_wait_end;

namespace {

enum class waits { to_try, in_poll, in_await };

template <waits how>
class read_trial : public cancel_tests::trial {
public:
    leat::task<> attempt() {
        co_await leat::blocking([this] {
            if (const char got = get(); got != '!') {
                received_ += got;
                delivered();
            }
        });
    }
    void enable() {
        const char next = static_cast<char>('a' + sent_.size());
        put(sockets_.far.get(), {&next, 1});
        sent_ += next;
    }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(received_ == sent_, where);
        co_return;
    }

private:
    char get() {
        const int fd = sockets_.near.get();
        if constexpr (how == waits::to_try) {
            return blocking_get(fd);
        } else if constexpr (how == waits::in_poll) {
            std::array asked{pollfd{.fd = others_.near.get(), .events = POLLIN, .revents = 0},
                             pollfd{.fd = fd, .events = POLLIN, .revents = 0}};
            if (leat::detail::wait_for_descriptors(asked, leat::never) != fibre_wait_end::ready) {
                return '!';
            }
        } else {
            leat::await(leat::readable(fd));
        }
        char got = 0;
        CHECK(::recv(fd, &got, 1, MSG_DONTWAIT) == 1);
        return got;
    }

    socket_pair sockets_;
    socket_pair others_;
    std::string sent_;
    std::string received_;
};

template <waits how>
leat::task<> at_every_moment(const char* what) {
    return cancel_tests::cancelled_at_any_moment<read_trial<how>>(what);
}

}  // namespace

LEAT_TEST("a call that waits to be tried is cancelled at every moment", on(kernel)) {
    return at_every_moment<waits::to_try>("a call");
}
LEAT_TEST("a poll is cancelled at every moment", on(kernel)) {
    return at_every_moment<waits::in_poll>("a poll");
}
LEAT_TEST("an await is cancelled at every moment", on(kernel)) {
    return at_every_moment<waits::in_await>("an await");
}
